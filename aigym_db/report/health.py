"""The text of `health`: the problems, one line per check without any, and a summary."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import click

from aigym_db.health.check import SEVERITIES
from aigym_db.health.examine import CheckResult, Health
from aigym_db.model.finding import Finding, Level
from aigym_db.model.wording import counted
from aigym_db.report import console

_COLOUR = {"ok": "green", "unknown": "cyan", "warning": "yellow", "critical": "red"}
_WIDTH = max(map(len, SEVERITIES))


def version(number: int) -> str:
    """Return the version of a server as PostgreSQL writes it: `18.4` for 180004."""
    return f"{number // 10_000}.{number % 10_000}"


def lines(health: Health) -> Iterator[str]:
    """Yield the lines of the text output."""
    for result in health.results:
        yield from _lines(result)
    counts = Counter(result.severity for result in health.results)
    summary = ", ".join(f"{counts[severity]} {severity}" for severity in SEVERITIES)
    yield f"PostgreSQL {version(health.version)}, {counted(len(health.results), 'check')}: {summary}."


def findings(health: Health) -> Iterator[Finding]:
    """Yield the warnings and critical measurements as findings; critical ones are errors."""
    for result in health.results:
        for measurement in result.measurements:
            if measurement.severity in ("warning", "critical"):
                level: Level = "warning" if measurement.severity == "warning" else "error"
                check = result.check
                yield Finding(check.name, check.code, level, measurement.message, hint=check.hint)


def _lines(result: CheckResult) -> Iterator[str]:
    check = result.check
    problems = [each for each in result.measurements if each.severity != "ok"]
    for problem in problems:
        code, name = console.dim(check.code), console.dim(f"[{check.name}]")
        yield f"{_styled(problem.severity)} {code} {console.printable(problem.message)} {name}"
    for each in result.measurements:
        if each.suppressed:
            code, name = console.dim(check.code), console.dim(f"[{check.name}]")
            yield f"{_styled('ok')} {code} suppressed: {console.printable(each.message)} {name}"
            yield f"  reason: {console.printable(each.suppressed)}"
    if result.grant:
        yield f"  {click.style('hint:', fg='cyan')} Run as a superuser: {result.grant}"
    elif result.severity in ("warning", "critical"):
        yield f"  {click.style('hint:', fg='cyan')} {check.hint}"
    if not problems and not any(each.suppressed for each in result.measurements):
        yield f"{_styled('ok')} {console.dim(check.code)} {check.name}"


def _styled(severity: str) -> str:
    return click.style(severity.ljust(_WIDTH), fg=_COLOUR[severity])
