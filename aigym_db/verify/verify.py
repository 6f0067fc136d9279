"""Run the checks whose requirements are met."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg

from aigym_db.database.dsn import require_dsn
from aigym_db.database.failure import explain_error
from aigym_db.errors import AigymError, BadCommandLine, StatementFailed, TamperedError
from aigym_db.model.finding import Finding
from aigym_db.model.source import Place
from aigym_db.model.wording import similar
from aigym_db.project.config import Project, find
from aigym_db.verify.check import Check, CheckFailure, checks
from aigym_db.verify.context import VerifyContext


@dataclass(frozen=True, slots=True)
class Verified:
    """The result of `verify`."""

    findings: tuple[Finding, ...]
    ran: tuple[str, ...]
    """Names of the checks that ran."""
    skipped: dict[str, str]
    """The other checks, each with the requirement that is not met."""


def verify(
    project: Project | Path | str,
    *,
    dsn: str | None = None,
    names: tuple[str, ...] = (),
    progress: Callable[[str], None] = lambda name: None,
) -> Verified:
    """Run checks and return their findings; `names` are names, codes or groups of checks (default: all).

    With `dsn` that database is examined, read-only; without it, the result of the migrations on a throwaway
    server. `progress` is called with the name of each check before it runs.

    Raise BadCommandLine (AIG-P013) if a name does not exist, if none of the named checks can run, or if `dsn`
    is empty, and the project's errors if its files are invalid.
    """
    chosen = _chosen(names)
    findings: list[Finding] = []
    ran: list[str] = []
    skipped: dict[str, str] = {}
    reported: set[tuple[str, Place | None]] = set()
    tampered = False
    with VerifyContext(find(project), None if dsn is None else require_dsn(dsn)) as context:
        for check in chosen:
            lacking = _lacking(check, context) or (tampered and _compares(check) and _TAMPERED)
            if lacking:
                skipped[check.name] = lacking
                continue
            progress(check.name)
            current = [check.finding(failure) for failure in _guarded(check, context)]
            tampered = tampered or (
                check.name in _TAMPERING and any(finding.level == "error" for finding in current)
            )
            # A missing file makes every check that reads migrations fail; it is reported once.
            findings += [finding for finding in current if (finding.message, finding.place) not in reported]
            reported |= {(finding.message, finding.place) for finding in current}
            ran.append(check.name)
    if names and not ran:
        reasons = "; ".join(sorted(set(skipped.values())))
        raise BadCommandLine(f"None of the named checks can run: {reasons}.", hint=_HINT)
    return Verified(tuple(findings), tuple(ran), skipped)


def exit_status(findings: Iterable[Finding]) -> int:
    """Return the exit status of `verify` and `up` for these findings.

    5 if the history was edited or the database has drifted, 1 for other errors and warnings, 0 for none.
    """
    names = {finding.rule for finding in findings if finding.level != "note"}
    if names & _TAMPERED_OR_DRIFTED:
        return TamperedError.exit_status
    return 1 if names else 0


_TAMPERED_OR_DRIFTED = {"lock", "lock-grows", "ledger", "drift"}
_TAMPERING = ("lock", "ledger")
_TAMPERED = "the history was edited, so a comparison with it is meaningless"


def _compares(check: Check) -> bool:
    """Return True if a check executes the migrations and compares the result."""
    return check.group == "history" and check.needs != "files" and check.name not in _TAMPERING


_HINT = (
    "Specify a database with --database, or run `aigym-db verify` without names for the checks that can run."
)


def _guarded(check: Check, context: VerifyContext) -> Iterator[CheckFailure]:
    """Yield the failures of a check, including rejected statements and an edited history."""
    try:
        yield from check.run(context)
    except (StatementFailed, TamperedError) as error:
        yield _failure(error)
    except psycopg.Error as error:
        yield _failure(explain_error(error, doing="The check was not completed"))


def _failure(error: AigymError) -> CheckFailure:
    detail = f"\n{error.detail}" if error.detail else ""
    return CheckFailure(error.message + detail, error.place, error.hint)


def _chosen(names: tuple[str, ...]) -> tuple[Check, ...]:
    chosen: list[Check] = []
    for name in names:
        matching = [
            check
            for check in checks()
            if name.lower() in (check.name, check.group) or name.upper() == check.code
        ]
        if not matching:
            raise _unknown(name)
        chosen += [check for check in matching if check not in chosen]
    return tuple(chosen) if names else checks()


def _unknown(name: str) -> AigymError:
    known = sorted({check.name for check in checks()} | {check.group for check in checks()})
    near = similar(name, known)
    return BadCommandLine(
        f"There is no check `{name}`.",
        hint=f"Write `{near[0]}`." if near else f"Use one of: {', '.join(known)}.",
    )


def _lacking(check: Check, context: VerifyContext) -> str:
    if check.needs == "live" and context.dsn is None:
        return "no database is specified"
    if check.needs == "state" and not context.project.has_state:
        return "the project has no templates"
    if check.needs in ("history", "state") and not (context.project.root / "migrations").is_dir():
        return "the project has no migrations"
    return ""
