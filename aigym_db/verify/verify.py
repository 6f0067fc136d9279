"""Runs the checks that there is something for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import psycopg

from aigym_db.database.failure import explain_error
from aigym_db.errors import AigymError, BadCommandLine, StatementFailed, TamperedError
from aigym_db.model.finding import Finding
from aigym_db.model.source import Place
from aigym_db.model.wording import similar
from aigym_db.project.config import Project
from aigym_db.verify.check import Check, CheckFailure, checks
from aigym_db.verify.context import VerifyContext


@dataclass(frozen=True, slots=True)
class Verified:
    """What a run of `verify` did and found."""

    findings: tuple[Finding, ...]
    ran: tuple[str, ...]
    """Names of the checks that ran."""
    skipped: dict[str, str]
    """The others, and what each would have needed."""


def verify(
    project: Project,
    *,
    dsn: str | None = None,
    names: tuple[str, ...] = (),
    progress: Callable[[str], None] = lambda name: None,
) -> Verified:
    """What is wrong, check by check; `names` are checks, codes or groups, all when there are none.

    With `dsn` that database is looked at, too, and never changed; without, what the migrations make on a
    throwaway server. `progress` is told the name of each check before it runs.

    Raises BadCommandLine (AIG-P013) for a name that does not exist and for a check that was asked for and
    cannot run, and whatever is wrong with the project.
    """
    chosen = _chosen(names)
    findings: list[Finding] = []
    ran: list[str] = []
    skipped: dict[str, str] = {}
    said: set[tuple[str, Place | None]] = set()
    touched = False
    with VerifyContext(project, dsn) as context:
        for check in chosen:
            lacking = _lacking(check, context) or (touched and _compares(check) and _TOUCHED)
            if lacking:
                skipped[check.name] = lacking
                continue
            progress(check.name)
            found = [check.finding(one) for one in _guarded(check, context)]
            touched = touched or (check.name in _TAMPERING and any(one.level == "error" for one in found))
            # A file that is gone keeps every check from reading the others; it is said once.
            findings += [one for one in found if (one.message, one.place) not in said]
            said |= {(one.message, one.place) for one in found}
            ran.append(check.name)
    if names and not ran:
        why = "; ".join(sorted(set(skipped.values())))
        raise BadCommandLine(f"Nothing could be verified: {why}.", hint=_HINT)
    return Verified(tuple(findings), tuple(ran), skipped)


_TAMPERING = ("lock", "ledger")
_TOUCHED = "history was touched, so whatever it is compared with differs"


def _compares(check: Check) -> bool:
    """Whether a check runs the migrations as they are and tells what comes out."""
    return check.group == "history" and check.needs != "files" and check.name not in _TAMPERING


_HINT = "Name a database with --database, or run `aigym-db verify` without names to see what can be."


def _guarded(check: Check, context: VerifyContext) -> Iterator[CheckFailure]:
    """What a check finds; that the server refuses a migration or history was touched is a finding, too."""
    try:
        yield from check.run(context)
    except (StatementFailed, TamperedError) as refusal:
        yield _found(refusal)
    except psycopg.Error as error:
        yield _found(explain_error(error, doing="The check could not be finished"))


def _found(refusal: AigymError) -> CheckFailure:
    detail = f"\n{refusal.detail}" if refusal.detail else ""
    return CheckFailure(refusal.message + detail, refusal.place, refusal.hint)


def _chosen(names: tuple[str, ...]) -> tuple[Check, ...]:
    found: list[Check] = []
    for name in names:
        some = [one for one in checks() if name.lower() in (one.name, one.group) or name.upper() == one.code]
        if not some:
            raise _unknown(name)
        found += [one for one in some if one not in found]
    return tuple(found) if names else checks()


def _unknown(name: str) -> AigymError:
    known = sorted({one.name for one in checks()} | {one.group for one in checks()})
    near = similar(name, known)
    return BadCommandLine(
        f"There is no check `{name}`.",
        hint=f"Write `{near[0]}`." if near else f"Use one of: {', '.join(known)}.",
    )


def _lacking(check: Check, context: VerifyContext) -> str:
    if check.needs == "live" and context.dsn is None:
        return "there is no database to look at"
    if check.needs == "state" and not context.project.has_state:
        return "the project holds no templates"
    if check.needs in ("history", "state") and not (context.project.root / "migrations").is_dir():
        return "the project holds no migrations"
    return ""
