"""Apply suppressions to the results of checks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date

from aigym_db.health.examine import CheckResult, Health, Measurement
from aigym_db.project.suppressions import Suppression


def suppress(health: Health, suppressions: Iterable[Suppression], today: date) -> Health:
    """Return the results with suppressed measurements, and a warning for each suppression that has expired.

    A suppressed measurement is `ok` and contains the reason. An expired suppression has no other effect than
    its warning. One of a check that was not requested is ignored.
    """
    known = tuple(suppressions)
    return replace(health, results=tuple(_suppressed(result, known, today) for result in health.results))


def _suppressed(result: CheckResult, known: tuple[Suppression, ...], today: date) -> CheckResult:
    own = [each for each in known if each.check.lower() in (result.check.name, result.check.code.lower())]
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


def _measurement(measurement: Measurement, own: list[Suppression], today: date) -> Measurement:
    if measurement.severity not in ("warning", "critical"):
        return measurement
    for each in own:
        if each.until >= today and each.object in (None, measurement.object):
            return replace(measurement, severity="ok", suppressed=f"{each.reason} (until {each.until})")
    return measurement
