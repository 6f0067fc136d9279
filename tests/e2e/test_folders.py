"""The location of a project, the working directory of a command, and unusable files."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from aigym_db.cli.main import status


@pytest.mark.parametrize("folder", [".", "schema", "schema/app", "migrations", ".github/workflows"])
def test_a_command_may_be_run_anywhere_in_the_project(shop, monkeypatch, capsys, folder: str) -> None:
    monkeypatch.chdir(shop.folder / folder)
    capsys.readouterr()

    code = status(["render"])

    assert (code, capsys.readouterr().out) == (0, shop("render").out)


@pytest.mark.parametrize("folder", [".", "schema/app"])
def test_a_relative_folder_may_be_named(shop, monkeypatch, capsys, folder: str) -> None:
    monkeypatch.chdir(shop.folder.parent)
    capsys.readouterr()

    code = status(["-C", f"shop/{folder}", "render"])

    assert (code, capsys.readouterr().out) == (0, shop("render").out)


@pytest.mark.parametrize("name", ["with spaces", "ünïcödé 🎉", "quo'te", "x" * 200])
def test_a_project_may_have_any_name(shop, database, name: str, capsys) -> None:
    moved = shop.folder.rename(shop.folder.with_name(name))
    there = ["-C", str(moved)]

    codes = [
        status([*there, *words])
        for words in (("--database", database, "migrate"), ("lint",), ("test",), ("freeze",))
    ]

    assert codes == [0, 0, 0, 0]


def test_without_a_project_every_command_prints_how_to_create_one(tmp_path: Path, capsys) -> None:
    commands = ["up", "render", "new x", "freeze", "lint", "migrate", "rollback", "status", "verify", "test"]
    commands += ["seed test", "server url", "server stop", "doctor"]

    codes = {words: status(["-C", str(tmp_path), *words.split()]) for words in commands}

    text = capsys.readouterr().err
    assert set(codes.values()) == {2}
    assert text.count("error AIG-P001 There is no aigym-db project in ") == len(commands)
    assert text.count("  hint: Run `aigym-db init DIR` to create a project") == len(commands)


def not_there(path: Path) -> None:
    path.unlink()
    path.symlink_to("nowhere")


def a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


UNUSABLE: dict[str, Callable[[Path], None]] = {"a folder": a_folder, "a link to nowhere": not_there}
FILES = {
    "migrations/0002_app_notes.sql": ("migrate",),
    "migrations/LOCK": ("migrate",),
    "aigym-db.toml": ("render",),
    "policies/actors.toml": ("test",),
    "policies/app.access.toml": ("test",),
    "seeds/test/01_notes.sql": ("test",),
}


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("kind", UNUSABLE)
def test_an_unreadable_file_causes_no_traceback(shop, database, kind: str, file: str) -> None:
    UNUSABLE[kind](shop.folder / file)

    seen = shop(*(("--database", database) if FILES[file] == ("migrate",) else ()), *FILES[file])

    assert seen.status in (0, 2, 3, 5)
    assert seen.status == 0 or re.search(r"^  hint: [A-Z]", seen.err + seen.out, re.MULTILINE)


TEXTS = {
    "empty": b"",
    "binary": bytes(range(256)),
    "Latin-1": "-- é\n".encode("latin-1"),
    "UTF-16": "-- migrate:up\n".encode("utf-16"),
    "NUL": b"-- migrate:up\nselect 1\0;\n-- migrate:down\n",
}
PLACES = {
    "migrations/0003_x.sql": "migrate",
    "schema/app/notes.sql.j2": "render",
    "schema/domains.toml": "render",
    "policies/app.sql.j2": "lint",
    "policies/actors.toml": "test",
    "policies/app.access.toml": "test",
    "seeds/test/01_notes.sql": "test",
    "aigym-db.toml": "render",
    "migrations/LOCK": "status",
}


@pytest.mark.parametrize("file", PLACES)
@pytest.mark.parametrize("kind", TEXTS)
def test_no_file_content_causes_a_traceback(shop, database, monkeypatch, kind: str, file: str) -> None:
    (shop.folder / file).write_bytes(TEXTS[kind])
    monkeypatch.setenv("DATABASE_URL", database)

    seen = shop(PLACES[file])

    assert seen.status in (0, 1, 2, 3, 4, 5)
    assert seen.status == 0 or re.search(r"^  hint: [A-Z]", seen.err + seen.out, re.MULTILINE)


def test_a_configuration_from_windows_is_read(shop, database) -> None:
    path = shop.folder / "aigym-db.toml"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))

    assert shop("--database", database, "migrate").status == 0


@pytest.mark.parametrize(
    "name",
    ["0003_x.txt", "3_x.sql", "0003-x.sql", "0003_X.sql", "README.md", "0002_twice.sql", "0004_hole.sql"],
)
def test_a_file_that_is_no_migration_is_named(shop, name: str) -> None:
    shop.write(f"migrations/{name}", "-- x\n-- migrate:up\n-- migrate:down\n")

    seen = shop("lint")

    assert seen.status in (2, 5)
    assert f"migrations/{name}" in seen.err
    assert re.search(r"^  hint: [A-Z]", seen.err, re.MULTILINE)


@pytest.mark.parametrize("name", ["", "9x", "a/b", "../x", "x" * 300, "é", "--", "a;b"])
def test_a_name_that_cannot_be_one_is_rejected(shop, name: str) -> None:
    files = shop.contents()

    seen = shop("new", "--empty", "--", name)

    assert (seen.status, shop.contents()) == (2, files)
    assert re.search(r"^  hint: [A-Z]", seen.err, re.MULTILINE)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
@pytest.mark.parametrize("words", [("new", "--empty", "x"), ("freeze",)])
def test_a_folder_without_write_permission_is_named(shop, words: tuple[str, ...]) -> None:
    shop.migration("0003_x", "select 1;")
    (shop.folder / "migrations").chmod(0o555)

    seen = shop(*words)

    (shop.folder / "migrations").chmod(0o755)
    assert (seen.status, "error AIG-P016 " in seen.err) == (2, True)


def test_a_project_without_migrations_or_templates_is_reported(shop) -> None:
    shutil.rmtree(shop.folder / "schema")

    rendered, drafted = shop("render"), shop("new", "x")

    assert (rendered.status, drafted.status) == (2, 2)
    assert "This project contains migrations only" in rendered.err + drafted.err
