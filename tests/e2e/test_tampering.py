"""Edited history: exit status 5, a hint, and no change to the database."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

LOCK = "migrations/LOCK"
ROLES, NOTES = "migrations/0001_roles.sql", "migrations/0002_app_notes.sql"


def edit(shop: Any, file: str, before: str, after: str) -> None:
    shop.replace(file, before, after)


def remove(shop: Any, *files: str) -> None:
    list(map(Path.unlink, (shop.folder / file for file in files)))


def keep_lines(shop: Any, lines: slice) -> None:
    text = (shop.folder / LOCK).read_text(encoding="utf-8")
    shop.write(LOCK, "".join(text.splitlines(keepends=True)[lines]))


TOUCHED: dict[str, tuple[str, Callable[[Any], object]]] = {
    "the newest file edited": ("AIG-T001", lambda shop: edit(shop, NOTES, "200", "201")),
    "an older file edited": ("AIG-T001", lambda shop: edit(shop, ROLES, "nologin", "login")),
    "the newest file deleted": ("AIG-T002", lambda shop: remove(shop, NOTES)),
    "an older file deleted": ("AIG-T002", lambda shop: remove(shop, ROLES)),
    "every file deleted": ("AIG-T002", lambda shop: remove(shop, ROLES, NOTES)),
    "every file and LOCK deleted": ("AIG-T002", lambda shop: remove(shop, ROLES, NOTES, LOCK)),
    "a hash in LOCK changed": ("AIG-T001", lambda shop: edit(shop, LOCK, "e0c", "e0d")),
    "the first line of LOCK removed": ("AIG-T001", lambda shop: keep_lines(shop, slice(1, None))),
    "the last line of LOCK removed": ("AIG-T001", lambda shop: keep_lines(shop, slice(0, 1))),
    "LOCK deleted": ("AIG-T001", lambda shop: remove(shop, LOCK)),
    "a line added to LOCK": ("AIG-T002", lambda shop: shop.append(LOCK, f"{'0' * 64}  0003_x.sql\n")),
    "something else added to LOCK": ("AIG-T001", lambda shop: shop.append(LOCK, "# reviewed\n")),
    "the file and its line in LOCK edited": (
        "AIG-T003",
        lambda shop: (
            edit(shop, NOTES, "200", "201"),
            keep_lines(shop, slice(0, 1)),
            shop("freeze"),
        ),
    ),
}


@pytest.mark.parametrize("command", ["migrate", "status", "rollback"])
@pytest.mark.parametrize("touched", TOUCHED)
def test_edited_history_is_rejected_with_a_hint(
    shop, migrated: str, holdings: Callable[[str], object], touched: str, command: str
) -> None:
    code, touch = TOUCHED[touched]
    touch(shop)
    files, held = shop.contents(), holdings(migrated)

    seen = shop("--database", migrated, command)

    assert (seen.status, seen.out) == (5, "")
    assert re.match(rf"error {code} .*", seen.err)
    assert re.search(r"^  hint: (Restore|Bring) .* version control", seen.err, re.MULTILINE)
    assert (shop.contents(), holdings(migrated)) == (files, held)


@pytest.mark.parametrize("words", [("freeze",), ("new", "--empty", "x"), ("new", "x")])
def test_the_number_of_a_deleted_frozen_file_is_not_reused(shop, words: tuple[str, ...]) -> None:
    remove(shop, NOTES)
    files = shop.contents()

    seen = shop(*words)

    assert (seen.status, shop.contents()) == (5, files)
    assert "hint: Bring migrations/0002_app_notes.sql back from version control." in seen.err


def test_an_edited_file_is_shown_as_the_difference_to_what_the_database_ran(shop, migrated: str) -> None:
    TOUCHED["the file and its line in LOCK edited"][1](shop)

    seen = shop("--database", migrated, "migrate")

    assert "--> migrations/0002_app_notes.sql:1:1" in seen.err
    assert "  -  constraint notes_title_check check (length(title) between 1 and 200)" in seen.err
    assert "  +  constraint notes_title_check check (length(title) between 1 and 201)" in seen.err


def test_verify_reports_edited_files_as_findings(shop, migrated: str) -> None:
    edit(shop, NOTES, "200", "201")

    seen = shop("--database", migrated, "--format", "json", "verify", "history")

    codes = {finding["code"] for finding in seen.document["findings"]}
    assert (seen.status, seen.document["ok"]) == (5, False)
    assert codes == {"HIST01", "HIST03"}


@pytest.mark.parametrize("file", [ROLES, NOTES])
def test_verify_reports_a_deleted_file_without_consequential_findings(shop, migrated: str, file: str) -> None:
    remove(shop, file)

    seen = shop("--database", migrated, "--format", "json", "verify", "history")

    codes = {finding["code"] for finding in seen.document["findings"]}
    assert (seen.status, codes - {"HIST03"}) == (5, {"HIST01"})
    assert {"drift", "state-is-history", "round-trip"} <= seen.document["skipped"].keys()


def test_line_ends_and_a_byte_order_mark_of_an_editor_are_no_edit(shop, migrated: str) -> None:
    path = shop.folder / NOTES
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))

    seen = shop("--database", migrated, "migrate")

    assert (seen.status, seen.out) == (0, "Nothing to apply: the database is up to date.\n")
