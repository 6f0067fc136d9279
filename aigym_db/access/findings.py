"""What went otherwise than the answers say, in sentences."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import psycopg

from aigym_db.access.outcomes import AttemptResult, attempted
from aigym_db.access.trial import Trial
from aigym_db.database.queries import query
from aigym_db.model.access import Attempt, Outcome, Survivor
from aigym_db.model.finding import Finding

SHOWN = 3
"""How many rows a sentence names."""

_WAYS = {"look": "", "forged": "", "blind": " without WHERE", "sighted": ""}


def wrong_answers(outcomes: Iterable[Outcome]) -> Iterator[Finding]:
    """One finding per cell whose rows are not those of the sheet; it names table, actor, command and rows."""
    for outcome in outcomes:
        failed = next((attempt for attempt in outcome.attempts if not attempt.ok), None)
        if failed is not None:
            yield Finding(
                "access-differs-from-answers",
                "ACC01",
                "error",
                sentence(outcome, failed),
                outcome.cell.place,
                "Correct the policy or grant, or the answer if people want it so.",
            )


def sentence(outcome: Outcome, attempt: Attempt) -> str:
    """What an attempt did that the sheet does not say, or did not do that it says."""
    cell = outcome.cell
    says = f"the sheet says {' + '.join(cell.classes) or 'none'}"
    if attempt.error:
        return f"{cell.table}: {cell.actor}, {cell.command}: {attempt.error}."
    who, what = f"{cell.table}: {cell.actor}", f"{cell.command}{_WAYS[attempt.way]}"
    extra, missing = attempt.reached - attempt.expected, attempt.expected - attempt.reached
    if extra:
        return f"{who} can {what} {_rows(outcome, extra)}: {says}."
    why = {
        "grant": ", for want of a grant",
        "policy": ", a policy refuses",
        "constraint": ", a constraint refuses",
    }
    refused = why[attempt.refused] if attempt.refused else ""
    return f"{who} cannot {what} {_rows(outcome, missing)}{refused}: {says}."


def _rows(outcome: Outcome, keys: frozenset[str]) -> str:
    named = []
    for key in sorted(keys)[:SHOWN]:
        label = outcome.rows.get(key.partition(" to ")[0], "")
        named.append(f"row {key}" + (f" ({label})" if label else ""))
    more = len(keys) - len(named)
    return ", ".join(named) + (f" and {more} more" if more else "")


def with_triggers(trial: Trial) -> Iterator[Finding]:
    """One finding per cell that triggers and foreign keys open, or break where the policies allow it.

    A constraint or trigger that refuses is what it is for; one that fails for want of a privilege is not. The
    connections of the trial must be to clones of their own.
    """
    told: set[tuple[str, str, str]] = set()
    for reply in trial.everything(triggers=True):
        cell, attempt = reply.job.cell, attempted(reply)
        said = _opened_or_broken(reply, attempt)
        if said and (cell.table, cell.actor, cell.command) not in told:
            told.add((cell.table, cell.actor, cell.command))
            yield Finding(
                "access-differs-with-triggers",
                "ACC06",
                "error",
                sentence(Outcome(cell, (attempt,)), attempt) if said == "opened" else f"{cell}: {said}.",
                cell.place,
                "Correct the trigger: a SECURITY DEFINER function of its own, or fewer rows touched.",
            )


def _opened_or_broken(reply: AttemptResult, attempt: Attempt) -> str:
    if attempt.refused == "constraint" or (reply.state or "").startswith("23"):
        return ""
    if attempt.error or (attempt.refused == "grant" and attempt.expected):
        return f"{reply.message} (SQLSTATE {reply.state}), once triggers are at work"
    return "opened" if attempt.refused is None and attempt.reached - attempt.expected else ""


def surfaces(trial: Trial) -> Iterator[Finding]:
    """What no cell can see: grants that policies do not hold back, open partitions, tables without rows."""
    roles = sorted({actor.role for actor in trial.answers.actors.values()})
    outside = list(trial.answers.cast.outside)
    yield from _unpoliced(trial.connections[0], roles, outside)
    yield from _partitions(trial.connections[0], roles, outside)
    for name, fixture in trial.fixtures.items():
        if not fixture.rows:
            yield Finding(
                "access-without-rows",
                "ACC04",
                "error",
                f"{name} has no rows in the test fixture, so its answers prove nothing.",
                trial.answers.sheets[name].place,
                "Add rows to `seeds/test`: some that each answer reaches and some that it does not.",
            )


def _unpoliced(connection: psycopg.Connection, roles: list[str], outside: list[str]) -> Iterator[Finding]:
    for role, table, privilege in connection.execute(
        query("access/unpoliced_grants").encode(), {"roles": roles, "outside": outside}
    ):
        yield Finding(
            "access-past-policies",
            "ACC02",
            "error",
            f"{table}: {role} has been granted {privilege}, which no policy holds back.",
            help=f"Write `revoke {privilege.lower()} on {table} from {role}` in a migration.",
        )


def _partitions(connection: psycopg.Connection, roles: list[str], outside: list[str]) -> Iterator[Finding]:
    for role, partition, parent in connection.execute(
        query("access/open_partitions").encode(), {"roles": roles, "outside": outside}
    ):
        yield Finding(
            "access-to-partition",
            "ACC03",
            "error",
            f"{partition}: {role} can address this partition directly, past the policies of {parent}.",
            help=f"Write `revoke all on {partition} from {role}`; keep partitions in a closed schema.",
        )


def survivors(found: Iterable[Survivor]) -> Iterator[Finding]:
    """One finding per mutant that no answer noticed and nobody has explained."""
    for survivor in found:
        if not survivor.equivalent:
            yield Finding(
                "access-mutant-survives",
                "ACC05",
                "error",
                f"No answer notices this: {survivor.mutant.id}.",
                help="Add a row that tells them apart, or say in policies/equivalents.toml why none can.",
            )
