"""The metrics of `health` in Prometheus's text exposition format, version 0.0.4."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from aigym_db.health.examine import Health
from aigym_db.report.health import version

_STATUS = {"ok": 0, "warning": 1, "critical": 2, "unknown": 3}
"""The values of the metric `aigym_db_health_status`; as the exit status of monitoring plugins."""


def exposition(health: Health) -> str:
    """Return the metrics: the status of each check, the number of its problems, and its values per object."""
    return "".join(f"{line}\n" for line in _lines(health))


def _lines(health: Health) -> Iterator[str]:
    database = {"database": health.database}
    yield from _head("info", "The version of the server.")
    yield _sample("info", {**database, "version": version(health.version)}, 1)
    yield from _head("status", "Result of a check: 0 ok, 1 warning, 2 critical, 3 unknown.")
    for result in health.results:
        labels = {**database, "code": result.check.code, "check": result.check.name}
        yield _sample("status", labels, _STATUS[result.severity])
    yield from _head("problems", "Number of objects that a check reports.")
    for result in health.results:
        for severity in ("warning", "critical"):
            labels = {
                **database,
                "code": result.check.code,
                "check": result.check.name,
                "severity": severity,
            }
            count = sum(measurement.severity == severity for measurement in result.measurements)
            yield _sample("problems", labels, count)
    for result in health.results:
        check = result.check
        if check.unit is None:
            continue
        name = f"{check.name.replace('-', '_')}_{check.unit}"
        yield from _head(name, check.text.partition("\n")[0])
        for measurement in result.measurements:
            if measurement.value is not None:
                yield _sample(name, {**database, "object": measurement.object}, measurement.value)


def _head(name: str, text: str) -> Iterator[str]:
    escaped = text.replace("\\", r"\\").replace("\n", r"\n")
    yield f"# HELP aigym_db_health_{name} {escaped}"
    yield f"# TYPE aigym_db_health_{name} gauge"


def _sample(name: str, labels: Mapping[str, str], value: float) -> str:
    pairs = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels.items())
    return f"aigym_db_health_{name}{{{pairs}}} {value!r}"


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
