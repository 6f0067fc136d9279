"""Migration files are read strictly."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from aigym_db.errors import BadHistory, BadMigration, MissingMigration
from aigym_db.model.source import Source
from aigym_db.project.config import Project
from aigym_db.project.migrations import migrations, parse
from aigym_db.project.text import normalised, read_text

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
    ("text", "message", "line", "column"),
    [
        ("-- migrate:up\n", "no `-- migrate:down`", 1, 1),
        ("select 1;\n", "one `-- migrate:up`", 1, 1),
        ("-- migrate:up\n-- migrate:up\n-- migrate:down\n", "one `-- migrate:up`", 3, 1),
        ("-- migrate:sideways\n", "no marker `migrate:sideways`", 1, 1),
        ("-- migrate:up lock:5s\n-- migrate:down\n", "no option `lock`", 1, 15),
        ("-- migrate:up lock_timeout:5\n-- migrate:down\n", "cannot be `5`", 1, 15),
        ("-- migrate:up transaction:no\n-- migrate:down\n", "cannot be `no`", 1, 15),
        ("-- migrate:up role:\n-- migrate:down\n", "`role` has no value", 1, 15),
        ("-- migrate:up role:a role:b\n-- migrate:down\n", "given twice", 1, 22),
        ("-- migrate:up role:a batch:0\n-- migrate:down\n", "`batch` cannot be `0`", 1, 22),
        ("-- migrate:up batch:5 transaction:true\n-- migrate:down\n", "exclude each other", 1, 15),
        ("-- migrate:up\n-- migrate:down irreversible:\n", "needs a reason", 2, 17),
        ("-- migrate:up\n-- migrate:down irreversible: x\nselect 1;\n", "but contains SQL", 3, 1),
        ("-- hello 😀\nselect 1;\n-- migrate:up\n-- migrate:down\n", "before `-- migrate:up`", 2, 1),
    ],
)
def test_an_invalid_migration_is_rejected_with_its_place(
    text: str, message: str, line: int, column: int
) -> None:
    with pytest.raises(BadMigration, match=message) as caught:
        parse(Source("m.sql", text), 1, "x")

    assert caught.value.place is not None
    assert (caught.value.place.line, caught.value.place.column) == (line, column)
    assert caught.value.hint


def test_a_byte_order_mark_and_crlf_do_not_change_the_checksum(tmp_path: Path) -> None:
    file(tmp_path, "0001_plain.sql")
    file(tmp_path, "0002_windows.sql", b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode())

    plain, windows = migrations(Project(tmp_path))

    assert plain.checksum == windows.checksum


def test_a_file_that_is_not_utf8_is_rejected_with_its_place(tmp_path: Path) -> None:
    file(tmp_path, "0001_latin.sql", b"-- migrate:up\nselect '\xe9';\n-- migrate:down\n")

    with pytest.raises(BadMigration, match="not UTF-8") as caught:
        migrations(Project(tmp_path))

    assert str(caught.value.place) == "migrations/0001_latin.sql:2:9"


def test_a_gap_in_the_versions_is_rejected(tmp_path: Path) -> None:
    file(tmp_path, "0001_a.sql")
    file(tmp_path, "0003_c.sql")

    with pytest.raises(MissingMigration, match="0002 is missing"):
        migrations(Project(tmp_path))


def test_a_duplicate_version_is_rejected_with_both_names(tmp_path: Path) -> None:
    file(tmp_path, "0001_a.sql")
    file(tmp_path, "0001_b.sql")

    with pytest.raises(BadHistory, match=r"0001_a\.sql, migrations/0001_b\.sql"):
        migrations(Project(tmp_path))


@pytest.mark.parametrize("name", ["1_a.sql", "0001-a.sql", "0001_A.sql", "notes.md"])
def test_a_stray_file_is_rejected(tmp_path: Path, name: str) -> None:
    file(tmp_path, name)

    with pytest.raises(BadHistory, match="not named like a migration"):
        migrations(Project(tmp_path))


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (GOOD.replace("\n", "\r\n").encode(), GOOD),
        (GOOD.replace("\n", "\r").encode(), GOOD),
        (b"-- migrate:up\r\nselect 1;\n-- migrate:down\n", "-- migrate:up\nselect 1;\n-- migrate:down\n"),
        (
            b"-- migrate:up\nselect 'a\r\nb',\r\n $$\r$$, 'c';\r\n-- migrate:down\n",
            "-- migrate:up\nselect 'a\r\nb',\n $$\r$$, 'c';\n-- migrate:down\n",
        ),
        (
            b"-- migrate:up\ncopy t from stdin;\nit's\n\\.\nselect 'a\r\nb';\r\n-- migrate:down\n",
            "-- migrate:up\ncopy t from stdin;\nit's\n\\.\nselect 'a\r\nb';\n-- migrate:down\n",
        ),
    ],
)
def test_line_ends_are_lf_but_for_what_a_string_holds_in_a_file_with_several_kinds(
    tmp_path: Path, content: bytes, text: str
) -> None:
    file(tmp_path, "0001_a.sql", content)

    (read,) = migrations(Project(tmp_path))

    assert read.up.source.text == text


@pytest.mark.parametrize(
    ("content", "message", "place"),
    [
        (GOOD.encode("utf-16"), "is UTF-16 text", "1:1"),
        (GOOD.encode("utf-16-le"), "NUL character", "1:2"),
        ("-- migrate:up\nselect 'é\0';\n-- migrate:down\n".encode(), "NUL character", "2:10"),
    ],
)
def test_a_file_in_another_encoding_is_rejected_with_its_place(
    tmp_path: Path, content: bytes, message: str, place: str
) -> None:
    file(tmp_path, "0001_other.sql", content)

    with pytest.raises(BadMigration, match=message) as caught:
        migrations(Project(tmp_path))

    assert str(caught.value.place) == f"migrations/0001_other.sql:{place}"


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_a_long_file_is_read_as_a_short_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line_end: str
) -> None:
    content = GOOD.replace("select 1", "select 'é😀\n€'").replace("\n", line_end).encode("utf-8-sig")
    short = read_text(file(tmp_path, "0001_a.sql", content), "m.sql")
    monkeypatch.setattr("aigym_db.project.text.CHUNK", 3)

    long = read_text(tmp_path / "migrations" / "0001_a.sql", "m.sql")

    assert long == short


@pytest.mark.parametrize("content", [b"\xff", b"select '\r\n';\n", b"\xff\xfe-\0"])
def test_what_is_odd_about_a_long_file_is_odd_as_in_a_short_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    path = file(tmp_path, "0001_a.sql", content)
    monkeypatch.setattr("aigym_db.project.text.CHUNK", 3)

    assert text_or_error(lambda: read_text(path, "m.sql")) == text_or_error(
        lambda: normalised(content, "m.sql")
    )


def text_or_error(read: Callable[[], Source]) -> str:
    try:
        return read().text
    except BadMigration as error:
        return f"{error.message} {error.place}"
