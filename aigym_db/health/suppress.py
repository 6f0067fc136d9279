"""Apply suppressions to the results of checks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date

from aigym_db.health.check import HealthCheck, health_checks
from aigym_db.health.examine import CheckResult, Health, Measurement
from aigym_db.project.config import Project, unknown_setting
from aigym_db.project.suppressions import Suppression


def check_suppressions(project: Project) -> None:
    """Raise BadConfig (AIG-P002) if a suppression of the project names a check that does not exist."""
    for index, suppression in enumerate(project.health_suppressions):
        if not any(_is_of(suppression, check) for check in health_checks()):
            raise unknown_setting(
                project,
                f"A suppression names a check `{suppression.check}`, which does not exist.",
                suppression.check,
                {check.name for check in health_checks()},
                "health_suppressions",
                index,
                "check",
            )


def suppress(health: Health, suppressions: Iterable[Suppression], today: date) -> Health:
    """Return the results with suppressed measurements, and a warning for each suppression that has expired.

    A suppressed measurement is `ok` and contains the reason. An expired suppression has no other effect than
    its warning. One of a check that was not requested is ignored.
    """
    known = tuple(suppressions)
    return replace(health, results=tuple(_suppressed(result, known, today) for result in health.results))


def _suppressed(result: CheckResult, known: tuple[Suppression, ...], today: date) -> CheckResult:
    own = [each for each in known if _is_of(each, result.check)]
    measurements = [_measurement(each, own, today) for each in result.measurements]
    expired = [
        Measurement(
            "warning",
            each.object or "",
            f"The suppression of {result.check.name}{f' for {each.object}' if each.object else ''} "
            f"expired on {each.until}: {each.reason}",
            None,
        )
        for each in own
        if each.until < today
    ]
    return replace(result, measurements=(*expired, *measurements))


def _is_of(suppression: Suppression, check: HealthCheck) -> bool:
    return suppression.check.lower() in (check.name, check.code.lower())


def _measurement(measurement: Measurement, own: list[Suppression], today: date) -> Measurement:
    if measurement.severity not in ("warning", "critical"):
        return measurement
    for each in own:
        if each.until >= today and each.object in (None, measurement.object):
            return replace(measurement, severity="ok", suppressed=f"{each.reason} (until {each.until})")
    return measurement
