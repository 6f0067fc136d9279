"""Migration files are read strictly."""

from __future__ import annotations

from pathlib import Path

import pglast
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aigym_db.errors import BadHistory, BadMigration, MissingApplied
from aigym_db.model.source import Source
from aigym_db.project.config import Project
from aigym_db.project.migrations import migrations, parse
from aigym_db.project.quoting import outside_quotes

GOOD = "-- 0001 first\n-- migrate:up\nselect 1;\n-- migrate:down\nselect 2;\n"


def file(folder: Path, name: str, text: str | bytes = GOOD) -> Path:
    path = folder / "migrations" / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_both_directions_their_options_and_their_places_are_read() -> None:
    text = "-- from: schema/a/b.sql.j2, schema/a/c.sql.j2\n-- migrate:up lock_timeout:5s role:none\n"
    text += "select 1;\n"
    text += "-- migrate:down transaction:false\nselect 2;\n"

    read = parse(Source("m.sql", text), 7, "seven")

    assert (read.up.text, read.up.lock_timeout_ms, read.up.role, read.up.transaction) == (
        "select 1;\n",
        5000,
        "none",
        True,
    )
    assert read.down is not None
    assert (read.down.text, read.down.transaction) == ("select 2;\n", False)
    assert read.made_from == ("schema/a/b.sql.j2", "schema/a/c.sql.j2")
    assert read.down.source.place(read.down.start).line == 5


@pytest.mark.parametrize(
    "quoted",
    [
        "$$\n-- migrate:down\n$$",
        "$a$\n-- migrate:up\n$a$",
        "'\n-- migrate:down\n'",
        "/* /* */\n-- migrate:up\n*/1",
    ],
)
def test_a_marker_inside_a_quoted_text_is_no_marker(quoted: str) -> None:
    read = parse(Source("m.sql", f"-- migrate:up\nselect {quoted};\n-- migrate:down\n"), 1, "x")

    assert quoted in read.up.text


@pytest.mark.parametrize(
    ("text", "said", "line", "column"),
    [
        ("-- migrate:up\n", "no `-- migrate:down`", 1, 1),
        ("select 1;\n", "one `-- migrate:up`", 1, 1),
        ("-- migrate:up\n-- migrate:up\n-- migrate:down\n", "one `-- migrate:up`", 3, 1),
        ("-- migrate:sideways\n", "no marker `migrate:sideways`", 1, 1),
        ("-- migrate:up lock:5s\n-- migrate:down\n", "no option `lock`", 1, 15),
        ("-- migrate:up lock_timeout:5\n-- migrate:down\n", "cannot be `5`", 1, 15),
        ("-- migrate:up transaction:no\n-- migrate:down\n", "cannot be `no`", 1, 15),
        ("-- migrate:up role:a role:b\n-- migrate:down\n", "given twice", 1, 22),
        ("-- migrate:up\n-- migrate:down irreversible:\n", "needs a reason", 2, 17),
        ("-- migrate:up\n-- migrate:down irreversible: x\nselect 1;\n", "holds SQL all the same", 3, 1),
        ("-- hello 😀\nselect 1;\n-- migrate:up\n-- migrate:down\n", "before `-- migrate:up`", 2, 1),
    ],
)
def test_what_is_not_a_migration_is_refused_with_its_place(
    text: str, said: str, line: int, column: int
) -> None:
    with pytest.raises(BadMigration, match=said) as refusal:
        parse(Source("m.sql", text), 1, "x")

    assert refusal.value.place is not None
    assert (refusal.value.place.line, refusal.value.place.column) == (line, column)
    assert refusal.value.hint


def test_a_byte_order_mark_and_crlf_do_not_change_the_checksum(tmp_path: Path) -> None:
    file(tmp_path, "0001_plain.sql")
    file(tmp_path, "0002_windows.sql", b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode())

    plain, windows = migrations(Project(tmp_path))

    assert plain.checksum == windows.checksum


def test_a_file_that_is_not_utf8_is_refused_with_its_place(tmp_path: Path) -> None:
    file(tmp_path, "0001_latin.sql", b"-- migrate:up\nselect '\xe9';\n-- migrate:down\n")

    with pytest.raises(BadMigration, match="not UTF-8") as refusal:
        migrations(Project(tmp_path))

    assert str(refusal.value.place) == "migrations/0001_latin.sql:2:9"


def test_a_hole_in_the_numbers_is_refused(tmp_path: Path) -> None:
    file(tmp_path, "0001_a.sql")
    file(tmp_path, "0003_c.sql")

    with pytest.raises(MissingApplied, match="0002 is missing"):
        migrations(Project(tmp_path))


def test_a_number_that_is_there_twice_is_refused_with_both_names(tmp_path: Path) -> None:
    file(tmp_path, "0001_a.sql")
    file(tmp_path, "0001_b.sql")

    with pytest.raises(BadHistory, match=r"0001_a\.sql, migrations/0001_b\.sql"):
        migrations(Project(tmp_path))


@pytest.mark.parametrize("name", ["1_a.sql", "0001-a.sql", "0001_A.sql", "notes.md"])
def test_a_stray_file_is_refused(tmp_path: Path, name: str) -> None:
    file(tmp_path, name)

    with pytest.raises(BadHistory, match="not named like a migration"):
        migrations(Project(tmp_path))


PIECES = [
    "a",
    " ",
    "'x'",
    "''",
    "E'\\''",
    '"q"',
    "$$b$$",
    "$t$ ' $t$",
    "/* c /* d */ */",
    "1",
    "é😀",
    "$1",
    "U&'z'",
]


@given(st.lists(st.sampled_from(PIECES), max_size=12))
def test_our_scan_of_quotes_agrees_with_postgresqls(pieces: list[str]) -> None:
    text = " ".join(pieces)
    quoted = {"SCONST", "USCONST", "BCONST", "XCONST", "C_COMMENT"}
    tokens = pglast.parser.scan(text)
    inside = {
        index
        for token in tokens
        for index in range(token.start, token.end + 1)
        if token.name in quoted or (token.name == "IDENT" and text[token.start] == '"')
    }

    outside = outside_quotes(text)

    assert {index for index in range(len(text)) if not outside(index)} == inside
