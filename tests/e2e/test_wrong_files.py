"""Invalid files: each is rejected with a place, a caret and a hint, and nothing is changed."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from aigym_db.report.console import width
from tests.support.cards import card

EMOJI = "\n".join(
    ["", "-- two", "comment on schema app is '🎉 名前 ünïcödé';", *(f"select {n};" for n in range(31))]
)
UP = "-- 0003 x\n-- migrate:up{}\n{}\n-- migrate:down\nselect 1;\n"


@dataclass(frozen=True)
class Wrong:
    """Invalid files and the expected error."""

    name: str
    files: dict[str, str]
    """Content by file; text that begins with `…` is appended."""
    status: int
    code: str
    place: str
    """File and line of the error."""
    under: str
    """The text at the caret."""
    commands: tuple[tuple[str, ...], ...]


STATE = (("render",), ("new", "x"), ("lint",), ("verify",))
HISTORY = (("migrate",), ("status",), ("lint",), ("verify",), ("freeze",), ("new", "--empty", "y"))
MIGRATE = (("migrate",), ("migrate", "--to", "3"))
WRONG = [
    Wrong(
        "a syntax error in line 40 after an emoji in line 3",
        {"schema/app/_types.sql.j2": EMOJI.lstrip("\n") + "\n" * 7 + "create tipe app.kind as enum ('é');\n"},
        2,
        "AIG-P005",
        "schema/app/_types.sql.j2:40",
        "tipe",
        STATE,
    ),
    Wrong(
        "an emoji in the line of the syntax error",
        {"schema/app/_types.sql.j2": "comment on schema app is '🎉 名'; selekt 1;\n"},
        2,
        "AIG-P005",
        "schema/app/_types.sql.j2:1",
        "selekt",
        STATE,
    ),
    Wrong(
        "an undefined Jinja variable",
        {"schema/app/notes.sql.j2": "…-- 🎉 {{ missing }}\n"},
        2,
        "AIG-P004",
        "schema/app/notes.sql.j2:29",
        "missing",
        STATE,
    ),
    Wrong(
        "Jinja that is not closed",
        {"schema/app/notes.sql.j2": "…{% if true %}\n"},
        2,
        "AIG-P004",
        "schema/app/notes.sql.j2:29",
        "if true",
        STATE,
    ),
    Wrong(
        "a cycle between two tables",
        {
            "schema/app/one.sql.j2": card("app.one")
            + "create table app.one (id int primary key, other int references app.two);\n",
            "schema/app/two.sql.j2": card("app.two")
            + "create table app.two (id int primary key, other int references app.one);\n",
        },
        2,
        "AIG-P006",
        "schema/app/one.sql.j2:12",
        "app.two",
        STATE,
    ),
    Wrong(
        "an unknown card key",
        {"schema/app/one.sql.j2": card("app.one").replace("mfa", "mfaa")},
        2,
        "AIG-P003",
        "schema/app/one.sql.j2:6",
        "mfaa",
        STATE,
    ),
    Wrong(
        "a setting that does not exist",
        {"aigym-db.toml": "# 名前\nownr = 'app_owner'\n"},
        2,
        "AIG-P002",
        "aigym-db.toml:2",
        "ownr",
        (*STATE, *HISTORY[:2], ("freeze",), ("test",), ("seed", "development"), ("server", "url"), ("up",)),
    ),
    Wrong(
        "a timeout that PostgreSQL does not know",
        {"aigym-db.toml": "lock_timeout_ms = 5000000000\n"},
        2,
        "AIG-P002",
        "aigym-db.toml:1",
        "lock_timeout_ms",
        (("migrate",),),
    ),
    Wrong(
        "a timeout of a migration that is none",
        {"migrations/0003_x.sql": UP.format(" lock_timeout:0s", "select 1;")},
        2,
        "AIG-P008",
        "migrations/0003_x.sql:2",
        "lock_timeout:0s",
        (("migrate",),),
    ),
    Wrong(
        "an unknown migration option",
        {"migrations/0003_x.sql": UP.format(" lock_timeout:2s tranaction:false", "select 1;")},
        2,
        "AIG-P008",
        "migrations/0003_x.sql:2",
        "tranaction:false",
        HISTORY,
    ),
    Wrong(
        "a migration without a down",
        {"migrations/0003_x.sql": "-- 0003 x\n-- migrate:up\nselect 1;\n"},
        2,
        "AIG-P008",
        "migrations/0003_x.sql:2",
        "-- migrate:up",
        HISTORY,
    ),
    Wrong(
        "a COMMIT inside a file",
        {"migrations/0003_x.sql": UP.format("", "create table app.t (v text default '🎉'); COMMIT;")},
        2,
        "AIG-P010",
        "migrations/0003_x.sql:3",
        "COMMIT",
        MIGRATE,
    ),
    Wrong(
        "CREATE INDEX CONCURRENTLY in a transactional file",
        {
            "migrations/0003_x.sql": UP.format(
                "", "/* 名 */ create index concurrently notes_title_idx on app.notes (title);"
            )
        },
        2,
        "AIG-P010",
        "migrations/0003_x.sql:3",
        "create index",
        MIGRATE,
    ),
    Wrong(
        "a statement that fails on the server",
        {"migrations/0003_x.sql": UP.format("", "select 1;\nselect '🎉', missing from app.notes;")},
        4,
        "AIG-S002",
        "migrations/0003_x.sql:4",
        "missing",
        MIGRATE,
    ),
    Wrong(
        "a table without answers",
        {
            "schema/app/one.sql.j2": card("app.one") + "create table app.one (id int primary key);\n",
        },
        2,
        "AIG-P012",
        "policies/app.access.toml:3",
        '"app.notes"',
        (("test",),),
    ),
    Wrong(
        "answers with a word too many",
        {"policies/app.access.toml": '"app.notes" = { archetype = "owner", ownr = "owner_id" }\n'},
        2,
        "AIG-P012",
        "policies/app.access.toml:1",
        "ownr",
        (("test",),),
    ),
    Wrong(
        "an actor with a role that does not exist",
        {
            "policies/actors.toml": '[people]\n[names]\nme = "x"\n[groups]\npeople = ["one"]\n'
            '[actor.anonymous]\nnote = "x"\nrole = "missing_role"\n'
            '[actor.one]\nnote = "x"\nrole = "app_user"\nme = "00000000-0000-4000-8000-000000000001"\n'
        },
        2,
        "AIG-P012",
        "policies/actors.toml:8",
        "role",
        (("test",),),
    ),
    Wrong(
        "a seed that is no SQL",
        {"seeds/development/01_notes.sql": "-- 🎉\ninsert inta app.notes values (1);\n"},
        4,
        "AIG-S002",
        "seeds/development/01_notes.sql:2",
        "inta",
        (("seed", "development"),),
    ),
    Wrong(
        "a file of the fixture that the table does not take",
        {"seeds/test/01_notes.sql": "-- 🎉\ninsert into app.notes (id) values (1);\n"},
        2,
        "AIG-P014",
        "seeds/test/01_notes.sql:2",
        "1",
        (("test",),),
    ),
]
CASES = [
    pytest.param(wrong, words, id=f"{' '.join(words)}: {wrong.name}")
    for wrong in WRONG
    for words in wrong.commands
]


@pytest.mark.parametrize(("wrong", "words"), CASES)
def test_a_wrong_file_is_rejected_with_its_place_and_nothing_changes(
    shop: Any,
    migrated: str,
    holdings: Callable[[str], object],
    monkeypatch: pytest.MonkeyPatch,
    wrong: Wrong,
    words: tuple[str, ...],
) -> None:
    shop.write_all(wrong.files)
    shop("freeze")
    files, held = shop.contents(), holdings(migrated)
    monkeypatch.setenv("DATABASE_URL", migrated)

    seen = shop(*words)

    error = _PLACE.search(seen.err)
    assert error, seen.err
    column = int(error["column"])
    assert (seen.status, error["code"], error["place"]) == (wrong.status, wrong.code, wrong.place)
    assert error["line"][column - 1 :].startswith(wrong.under)
    assert len(error["before"]) == width(error["line"][: column - 1])
    assert re.search(r"^  hint: [A-Z][a-z]+ .*[.]$", seen.err, re.MULTILINE)
    assert "Traceback" not in seen.err
    assert (shop.contents(), holdings(migrated)) == (files, held)


_PLACE = re.compile(
    r"error (?P<code>\S+) .*\n"
    r"  --> (?P<place>\S+):(?P<column>\d+)\n"
    r"  \d+ \| (?P<line>.*)\n"
    r"  +\| (?P<before> *)\^\n"
)
