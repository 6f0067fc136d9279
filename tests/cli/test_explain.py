"""`aigym-db explain`."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from aigym_db.access.pages import PAGES
from aigym_db.cli.main import status
from aigym_db.errors import pages
from aigym_db.health.check import health_checks
from aigym_db.lint.rule import rules
from aigym_db.verify.check import checks

CODES = [
    *(error.code for error in pages()),
    *PAGES,
    *(rule.code for rule in rules()),
    *(check.code for check in checks()),
]


@pytest.mark.parametrize(
    ("code", "title"),
    [
        ("LOCK01", "LOCK01 index-without-concurrently (error; a note in downs; since aigym-db 0.1)"),
        ("index-without-concurrently", "LOCK01 index-without-concurrently (error;"),
        ("drop-column", "DATA01 drop-column (warning; not in downs; since aigym-db 0.1)"),
        ("TXN01", "TXN01 concurrently-in-transaction (error; since aigym-db 0.1)"),
        ("HIST05", "HIST05 "),
        ("partitions-ahead", "HLT09 partitions-ahead"),
        ("AIG-T001", "AIG-T001 edited-frozen"),
        ("edited-frozen", "AIG-T001 edited-frozen"),
    ],
)
def test_a_page_begins_with_code_name_and_level(
    code: str, title: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert status(["explain", code]) == 0

    assert capsys.readouterr().out.startswith(title)


def test_a_check_page_shows_its_level(capsys: pytest.CaptureFixture[str]) -> None:
    assert status(["explain", "HIST05"]) == 0

    assert "(error)" in capsys.readouterr().out.splitlines()[0]


def test_without_a_code_every_code_is_listed_with_name_and_summary(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert status(["explain"]) == 0

    listing = capsys.readouterr().out
    assert "LOCK01    index-without-concurrently: Index built without CONCURRENTLY" in listing


def test_json_contains_code_and_page(capsys: pytest.CaptureFixture[str]) -> None:
    assert status(["--format", "json", "explain", "lock01"]) == 0

    document = json.loads(capsys.readouterr().out)
    assert document["code"] == "LOCK01"
    assert document["page"].startswith("LOCK01 index-without-concurrently (error;")


def test_an_unknown_code_is_rejected_with_the_nearest_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert status(["explain", "lock1"]) == 2

    shown = capsys.readouterr().err
    assert "There is no code lock1." in shown
    assert "hint: Write `LOCK01`." in shown


@pytest.mark.parametrize("columns", ["80", "60"])
def test_no_line_is_longer_than_the_terminal_is_wide(
    columns: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    for words in (["explain"], *(["explain", code] for code in CODES)):
        assert status(words) == 0

    assert [line for line in capsys.readouterr().out.splitlines() if len(line) > int(columns)] == []


def test_a_wrapped_comment_in_an_example_remains_a_comment(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")

    assert status(["explain", "drop-column"]) == 0

    lines = capsys.readouterr().out.splitlines()
    comment = next(number for number, line in enumerate(lines) if "-- allow drop-column" in line)
    assert lines[comment + 1].startswith("    -- ")


def test_no_name_or_code_stands_for_two_pages() -> None:
    codes_and_names = [
        *((error.code, error.name) for error in pages()),
        *((code, name) for code, (name, _) in PAGES.items()),
        *((rule.code, rule.name) for rule in rules()),
        *((check.code, check.name) for check in checks()),
        *((check.code, check.name) for check in health_checks()),
    ]

    for words in zip(*codes_and_names, strict=True):
        assert [word for word, count in Counter(words).items() if count > 1] == []


def test_no_page_begins_with_a_question(capsys: pytest.CaptureFixture[str]) -> None:
    assert status(["explain"]) == 0

    assert [line for line in capsys.readouterr().out.splitlines() if "?" in line] == []
