"""Examine the health of a database: three statements, read-only."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta

import psycopg

from aigym_db.database.connect import SessionSettings, connect
from aigym_db.database.failure import explain_error
from aigym_db.database.queries import query
from aigym_db.errors import BadCommandLine
from aigym_db.health.check import SEVERITIES, HealthCheck, Severity, health_checks
from aigym_db.model.wording import similar
from aigym_db.syntax.quote import quoted

STATEMENT_TIMEOUT_MS = 30_000
"""Longest duration of the query of all checks, which reads the catalog and statistics only. It is half of the
shortest common interval of monitoring systems (one minute), so that runs do not overlap."""


@dataclass(frozen=True, slots=True)
class Measurement:
    """What a check measured on one object."""

    severity: Severity
    object: str
    """The qualified name, `pid N`, or empty for the whole database."""
    message: str
    value: float | None
    """In the unit of the check; None if it has none, or if the value has no limit."""
    suppressed: str = ""
    """The reason and the end of its suppression, which makes it `ok`; empty if it is not suppressed."""


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The result of one check."""

    check: HealthCheck
    measurements: tuple[Measurement, ...]
    """The most severe first."""
    grant: str = ""
    """The statement that grants a missing privilege; empty if the check ran."""

    @property
    def severity(self) -> Severity:
        """The severity of the most severe measurement; `ok` if there is none."""
        return max((each.severity for each in self.measurements), key=SEVERITIES.index, default="ok")


@dataclass(frozen=True, slots=True)
class Health:
    """The health of a database at one moment."""

    database: str
    """Its name."""
    version: int
    """The value of `server_version_num`: 180004 is 18.4."""
    results: tuple[CheckResult, ...]
    """Of every check that was requested, sorted by code."""


@dataclass(frozen=True, slots=True)
class Privileges:
    """What a role lacks: predefined roles, and privileges on relations and functions of pg_catalog."""

    role: str
    roles: frozenset[str] = frozenset()
    relations: frozenset[str] = frozenset()
    functions: frozenset[str] = frozenset()

    def missing(self, check: HealthCheck) -> str:
        """Return the statements that grant what this role lacks for a check; empty if it lacks nothing."""
        role = quoted(self.role)
        grants = [
            *(f"grant {name} to {role};" for name in sorted(self.roles & {check.role})),
            *(
                f"grant select on pg_catalog.{name} to {role};"
                for name in sorted(self.relations & check.names)
            ),
            *(
                f"grant execute on function pg_catalog.{name} to {role};"
                for name in sorted(self.functions & check.names)
            ),
        ]
        return " ".join(grants)


def examine(
    dsn: str | None = None,
    *,
    names: tuple[str, ...] = (),
    ignored: Iterable[str] = ("aigym_db",),
    ahead: timedelta = timedelta(),
    version: int | None = None,
) -> Health:
    """Run checks on a database and return their results; `names` are names or codes of checks (default: all).

    The session is read-only; a standby and a database without a ledger are sufficient. Objects in schemas of
    `ignored` are left out. For tests and forecasts, `ahead` is added to the current time, and `version`
    replaces that of the server.

    Raise BadCommandLine (AIG-P013) if a name does not exist, what `connect` raises, and the server's errors
    (AIG-S…).
    """
    chosen = chosen_checks(names)
    settings = SessionSettings(read_only=True, statement_timeout_ms=STATEMENT_TIMEOUT_MS)
    try:
        with closing(connect(dsn, session=settings, autocommit=True)) as connection:
            facts = connection.execute(
                query("health/privileges").encode(),
                {
                    "roles": sorted({check.role for check in chosen if check.role}),
                    "names": sorted(frozenset[str]().union(*(check.names for check in chosen))),
                },
            ).fetchone()
            assert facts is not None
            database, server_version, role, *lacking = facts
            privileges = Privileges(role, *map(frozenset, lacking))
            statement = combined([check for check in chosen if not privileges.missing(check)])
            parameters = {"ignored": list(ignored), "ahead": ahead, "version": version}
            rows = connection.execute(statement.encode(), parameters).fetchall() if statement else []
    except psycopg.Error as error:
        raise explain_error(error) from error
    return Health(database, server_version, results(chosen, privileges, rows))


def combined(checks: Iterable[HealthCheck]) -> str:
    """Return the statement that executes the queries of checks; its first column is the code of the check."""
    return "\nunion all\n".join(
        f"select '{check.code}' as code, q.* from (\n{check.sql}\n) as q" for check in checks
    )


def results(
    checks: Iterable[HealthCheck],
    privileges: Privileges,
    rows: Iterable[tuple[str, Severity, str, str, float | None]],
) -> tuple[CheckResult, ...]:
    """Return the result of each check from the rows of the combined statement and the missing privileges."""
    by_code: dict[str, list[Measurement]] = {}
    for code, severity, name, message, value in rows:
        by_code.setdefault(code, []).append(Measurement(severity, name, message, value))
    return tuple(_result(check, privileges, by_code.get(check.code, [])) for check in checks)


def exit_status(severities: Iterable[Severity]) -> int:
    """Return the exit status of `health`: 2 if a check is critical, 1 if one is a warning, else 0.

    `unknown` does not count: every new database lacks the evidence of some checks.
    """
    return max(({"warning": 1, "critical": 2}.get(severity, 0) for severity in severities), default=0)


def _result(check: HealthCheck, privileges: Privileges, measurements: list[Measurement]) -> CheckResult:
    grant = privileges.missing(check)
    if grant:
        message = f"The role {quoted(privileges.role)} lacks a privilege."
        return CheckResult(check, (Measurement("unknown", "", message, None),), grant)
    ordered = sorted(measurements, key=lambda each: (-SEVERITIES.index(each.severity), each.object))
    return CheckResult(check, tuple(ordered))


def chosen_checks(names: tuple[str, ...]) -> tuple[HealthCheck, ...]:
    """Return the checks with these names or codes (default: all); raise BadCommandLine (AIG-P013)."""
    known = {word: check for check in health_checks() for word in (check.name, check.code.lower())}
    for name in names:
        if name.lower() not in known:
            near = similar(name, [check.name for check in health_checks()])
            raise BadCommandLine(
                f"There is no check `{name}`.",
                hint=f"Write `{near[0]}`."
                if near
                else f"Use one of: {', '.join(sorted(check.name for check in health_checks()))}.",
            )
    codes = {known[name.lower()].code for name in names}
    return tuple(check for check in health_checks() if not names or check.code in codes)
