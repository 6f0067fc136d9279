"""Where the targets of a fleet stand, for people and for programs."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from aigym_db.migrate.fleet.status import TargetStatus
from aigym_db.migrate.status import Status
from aigym_db.model.wording import counted
from aigym_db.report import console, machine
from aigym_db.report.fleet import refusals
from aigym_db.report.result import Report
from aigym_db.report.status import pending_json, unfinished_json


def say_fleet(report: Report, found: tuple[TargetStatus, ...], frozen: Collection[int]) -> None:
    """The table of all targets, what was cut short on some, and every refusal once."""
    report.data["targets"] = [_as_json(one, frozen) for one in found]
    for row in console.columns([("target", "at", "pending", "error"), *(_row(one, frozen) for one in found)]):
        report.say(row)
    report.say()
    for one in found:
        for half in (one.standing and one.standing.unfinished) or ():
            report.say(f"{console.printable(one.target.name)}: {half.label} is {half}.")
    for refusal in refusals(found):
        report.refused(refusal)
    states = [_state(one) for one in found]
    counts = {state: states.count(state) for state in _STATES}
    report.say(", ".join(f"{count} {state}" for state, count in counts.items() if count) + ".")


_STATES = ("up to date", "nothing pending", "behind", "half-way", "unknown")
"""With nothing pending a target may still be half-way, where the role may not read the journal."""


def _state(one: TargetStatus) -> str:
    if one.standing is None:
        return "unknown"
    if one.standing.unfinished:
        return "half-way"
    if one.standing.pending:
        return "behind"
    return "nothing pending" if one.standing.unfinished is None else "up to date"


def _row(one: TargetStatus, frozen: Collection[int]) -> tuple[str, ...]:
    name, standing = console.printable(one.target.name), one.standing
    if standing is None:
        return name, "", "", one.refusal.code if one.refusal else ""
    newest = max((row.version for row in standing.applied), default=0)
    drafts = sum(file.version not in frozen for file in standing.pending)
    pending = str(len(standing.pending) or "") + (f" ({counted(drafts, 'draft')})" if drafts else "")
    return name, f"{newest:04d}", pending, ""


def _as_json(one: TargetStatus, frozen: Collection[int]) -> dict[str, Any]:
    standing = one.standing or Status((), (), ())
    return {
        "name": one.target.name,
        "schema": one.target.schema or None,
        "canary": one.target.canary,
        "status": _state(one),
        "version": max((row.version for row in standing.applied), default=None),
        "pending": pending_json(standing.pending, frozen),
        "unfinished": unfinished_json(standing.unfinished),
        "error": machine.as_json(machine.as_finding(one.refusal)) if one.refusal else None,
    }
