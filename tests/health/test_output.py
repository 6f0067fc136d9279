"""The text, the JSON document and the metrics of `health`, and its exit status."""

from __future__ import annotations

import re
from pathlib import Path

import psycopg
import pytest

from aigym_db.health.check import health_checks
from aigym_db.health.examine import CheckResult, Health, Measurement
from aigym_db.report.prometheus import exposition
from tests.support.command import ProjectInProcess

Visitor = psycopg.Connection[tuple[object, ...]]
_LABEL = r'[a-zA-Z_]\w*="(?:[^"\\\n]|\\["\\n])*"'
_SAMPLE = re.compile(
    rf"([a-zA-Z_:][\w:]*)(\{{{_LABEL}(?:,{_LABEL})*\}})? (?:[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?|[-+]Inf|NaN)"
)
"""A line of the text format. Source: Prometheus documentation, "Exposition formats"."""


def metrics(text: str) -> dict[str, list[str]]:
    """Return the lines of samples by name; fail unless the text is in Prometheus's text format."""
    assert text.endswith("\n")
    samples: dict[str, list[str]] = {}
    typed: list[str] = []
    for line in text.splitlines():
        if line.startswith("#"):
            match = re.fullmatch(r"# (?:HELP (\S+) .+|TYPE (\S+) gauge)", line)
            assert match, line
            if match[2]:
                typed.append(match[2])
                samples[match[2]] = []
            continue
        match = _SAMPLE.fullmatch(line)
        assert match, line
        # The samples of a metric follow its TYPE line without others between them.
        assert match[1] == typed[-1]
        samples[match[1]].append(line)
    identities = [line.rpartition(" ")[0] for lines in samples.values() for line in lines]
    assert len(set(identities)) == len(identities)
    assert len(set(typed)) == len(typed)
    return samples


@pytest.fixture
def command(tmp_path: Path, database: str, capsys: pytest.CaptureFixture[str]) -> ProjectInProcess:
    """A folder without a project, in which commands run on the database."""
    return ProjectInProcess(tmp_path, capsys)


def test_a_healthy_database_has_exit_status_0_and_one_line_per_check(
    visitor: Visitor, database: str, command: ProjectInProcess
) -> None:
    result = command("--database", database, "health")

    lines = result.out.splitlines()
    count = len(health_checks())
    assert (result.status, result.err) == (0, "")
    assert lines[:-1] == [f"ok       {check.code} {check.name}" for check in health_checks()]
    assert re.fullmatch(
        rf"PostgreSQL \d+\.\d+, {count} checks: {count} ok, 0 unknown, 0 warning, 0 critical\.", lines[-1]
    )


def test_a_warning_has_exit_status_1_and_a_critical_check_2(
    visitor: Visitor, database: str, command: ProjectInProcess
) -> None:
    visitor.execute("create index birds_same_idx on app.birds (name)")
    warning = command("--database", database, "health", "duplicate-index", "HLT02")
    visitor.execute("create table app.empty (day date) partition by range (day)")
    critical = command("--database", database, "health")

    assert (warning.status, critical.status) == (1, 2)
    assert warning.out.splitlines()[:3] == [
        "ok       HLT02 unvalidated-constraint",
        "warning  HLT07 The index app.birds_same_idx on app.birds duplicates app.birds_name_idx. "
        "[duplicate-index]",
        "  hint: Drop it with `drop index concurrently`; drop the constraint if it belongs to one.",
    ]
    assert (
        "critical HLT09 The table app.empty has no partition for the current time: new rows are rejected."
        in critical.out
    )


def test_missing_evidence_is_unknown_with_exit_status_0(
    visitor: Visitor, database: str, command: ProjectInProcess
) -> None:
    visitor.execute("create index birds_other_idx on app.birds (name, id)")

    result = command("--database", database, "health", "unused-index")

    assert result.status == 0
    assert result.out.startswith("unknown  HLT06 The statistics begin on ")


def test_the_document_contains_every_check_and_the_problems_as_findings(
    visitor: Visitor, database: str, command: ProjectInProcess
) -> None:
    visitor.execute("alter table app.birds add constraint birds_check check (id > 5) not valid")

    document = command("--format", "json", "--database", database, "health").document

    assert (document["command"], document["ok"], document["exit_status"]) == ("health", False, 1)
    assert [check["code"] for check in document["checks"]] == [check.code for check in health_checks()]
    (finding,) = document["findings"]
    assert (finding["code"], finding["level"]) == ("HLT02", "warning")
    by_name = {check["name"]: check for check in document["checks"]}
    assert by_name["unvalidated-constraint"]["severity"] == "warning"
    assert by_name["partitions-ahead"]["unit"] == "days"
    assert 69 < by_name["partitions-ahead"]["measurements"][0]["value"] < 71


def test_metrics_are_in_the_text_format_of_prometheus(
    visitor: Visitor, database: str, command: ProjectInProcess
) -> None:
    visitor.execute("create index birds_same_idx on app.birds (name)")

    result = command("--database", database, "health", "--prometheus")

    samples = metrics(result.out)
    assert (result.status, result.err) == (1, "")
    assert len(samples["aigym_db_health_status"]) == len(health_checks())
    assert any(
        line.endswith('code="HLT07",check="duplicate-index"} 1') for line in samples["aigym_db_health_status"]
    )
    assert any(
        'object="app.days"} 69.' in line or 'object="app.days"} 70.' in line
        for line in samples["aigym_db_health_partitions_ahead_days"]
    )
    assert len(samples["aigym_db_health_transaction_id_age_transactions"]) >= 4


def test_labels_are_escaped_and_large_values_are_exact() -> None:
    (check,) = (check for check in health_checks() if check.name == "unused-index")
    measurement = Measurement("warning", 'app."a\\b\n', "", 123_456_789.0)
    health = Health('d"b', 180004, (CheckResult(check, (measurement,)),))

    samples = metrics(exposition(health))

    assert samples["aigym_db_health_unused_index_bytes"] == [
        r'aigym_db_health_unused_index_bytes{database="d\"b",object="app.\"a\\b\n"} 123456789.0'
    ]


def test_two_formats_at_once_are_rejected(database: str, command: ProjectInProcess) -> None:
    result = command("--format", "json", "--database", database, "health", "--prometheus")

    assert result.status == 2
    assert "exclude each other" in result.err


def test_a_database_that_cannot_be_reached_has_its_own_exit_status(command: ProjectInProcess) -> None:
    result = command("--database", "host=127.0.0.1 port=1 dbname=x", "health")

    assert (result.status, "AIG-S001" in result.err) == (4, True)
