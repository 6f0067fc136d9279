"""Machine-readable output: one JSON document, no escape codes, reproducible bytes."""

from __future__ import annotations

import pytest

from aigym_db.cli.main import COMMANDS

DONE = [
    ("render",),
    ("new", "--empty", "x"),
    ("freeze",),
    ("lint",),
    ("migrate",),
    ("rollback",),
    ("status",),
    ("verify", "lock"),
    ("test", "app.notes"),
    ("seed", "test"),
    ("explain", "AIG-T001"),
    ("explain",),
    ("doctor",),
    ("health",),
    ("interface", "app"),
    ("partitions", "plan"),
]
REJECTED = [
    ("render", "x"),
    ("new", "9"),
    ("new", "--empty", "--only", "x", "y"),
    ("freeze", "x"),
    ("lint", "nowhere.sql"),
    ("migrate", "--to", "99"),
    ("migrate", "--to", "x"),
    ("migrate", "--lock-wait", "-1"),
    ("rollback", "--to", "99"),
    ("rollback", "--to", "1", "--steps", "1"),
    ("rollback", "--steps", "0"),
    ("rollback", "--steps", "99"),
    ("status", "x"),
    ("verify", "nothing"),
    ("test", "app.nothing"),
    ("seed", "nothing"),
    ("seed", "../seeds/test"),
    ("explain", "AIG-X999"),
    ("init", "."),
    ("init",),
    ("server", "sing"),
    ("server", "url"),
    ("up", "x"),
    ("doctor", "x"),
    ("health", "x"),
    ("interface", "nothing"),
    ("partitions", "plan", "app.nothing"),
    ("launch",),
    ("--server", "nonsense", "verify", "state-is-history"),
    ("--server", "nonsense", "doctor"),
]
KEYS = {"rule", "code", "level", "file", "line", "column", "message", "hint"}


@pytest.mark.parametrize("words", DONE, ids=" ".join)
def test_success_is_one_json_document_and_prose_without_escape_codes(
    shop, migrated, monkeypatch, words: tuple[str, ...]
) -> None:
    monkeypatch.setenv("DATABASE_URL", migrated)

    seen = shop("--format", "json", *words)

    document = seen.document
    assert (seen.status, seen.out[-2:]) == (0, "}\n")
    assert (document["command"], document["ok"], document["exit_status"]) == (words[0], True, 0)
    assert document["findings"] == []
    assert "\x1b" not in seen.err


@pytest.mark.parametrize("words", [("up",), ("server", "url"), ("server", "start")], ids=" ".join)
def test_success_on_the_local_server_is_one_json_document(local_shop, up_once, words) -> None:
    document = local_shop("--format=json", *words).document

    assert (document["command"], document["ok"], document["dsn"]) == (words[0], True, up_once.dsn)


def test_the_other_commands_of_the_local_server_have_documents(local_shop, up_once) -> None:
    # Result.document validates each against its schema.
    assert local_shop("--format=json", "server", "gc").document["removed"] is not None
    assert local_shop("--format=json", "test", "--mutants").document["mutants"]["survived"] == []


@pytest.mark.parametrize("words", REJECTED, ids=" ".join)
def test_an_error_is_one_json_document(shop, migrated, monkeypatch, words: tuple[str, ...]) -> None:
    monkeypatch.setenv("DATABASE_URL", migrated)

    seen = shop("--format", "json", *words)

    document = seen.document
    (finding,) = document["findings"]
    assert (document["ok"], document["exit_status"]) == (False, seen.status)
    assert seen.status in (2, 3)
    assert set(finding) == KEYS
    assert finding["code"].startswith("AIG-")
    assert finding["hint"].endswith(".")
    assert seen.err.startswith(f"error {finding['code']} ") or words[-1] == "doctor"
    assert "\x1b" not in seen.err


def test_the_examples_include_every_command() -> None:
    tried = {words[0] for words in (*DONE, *REJECTED)}

    assert {path.stem for path in COMMANDS.glob("[a-z]*.py")} <= tried


def test_rendering_twice_gives_the_same_bytes(shop) -> None:
    assert shop("render").out == shop("render").out != ""


def test_a_file_sends_no_escape_codes_to_the_terminal(shop) -> None:
    shop.write("migrations/0003_x.sql", "-- \x1b[31m\x07\x9b2J -- migrate:up\n")

    seen = shop("status")

    assert (seen.status, "\x1b" in seen.err, "\x9b" in seen.err) == (2, False, False)


def test_every_code_has_a_page_of_more_than_its_name(shop) -> None:
    codes = shop("--format", "json", "explain").document["codes"]

    pages = {code: shop("--format", "json", "explain", code).document["page"] for code in codes}

    assert len(codes) > 100
    assert [code for code, page in pages.items() if len(page) < 60] == []
