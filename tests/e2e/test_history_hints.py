"""Missing, renamed, duplicated or late files: rejected with the list and a hint that works."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

ROLES, NOTES = "migrations/0001_roles.sql", "migrations/0002_app_notes.sql"


def rename(shop, before: str, after: str) -> None:
    (shop.folder / before).rename(shop.folder / after)


def execute_hint(hint: str, folder: Path) -> None:
    """Run the command in a hint's backticks; `git mv` without git."""
    command = hint.split("`")[1]
    assert command.startswith("git mv ")
    subprocess.run(shlex.split(command.removeprefix("git ")), cwd=folder, check=True)


def hint_of(err: str) -> str:
    return next(line for line in err.splitlines() if line.startswith("  hint: "))


RENAMED: dict[str, tuple[str, Callable[..., Any]]] = {
    "the newest, frozen": (
        "0002_app_notes.sql is frozen and was renamed: its text is now migrations/0002_memos.sql.",
        lambda shop: rename(shop, NOTES, "migrations/0002_memos.sql"),
    ),
    "to a number further on": (
        "0002_app_notes.sql was renamed: its text is now migrations/0003_app_notes.sql.",
        lambda shop: rename(shop, NOTES, "migrations/0003_app_notes.sql"),
    ),
    "without a LOCK": (
        "0002 app_notes is applied, and its file was renamed to migrations/0002_memos.sql.",
        lambda shop: (
            rename(shop, NOTES, "migrations/0002_memos.sql"),
            (shop.folder / "migrations/LOCK").unlink(),
        ),
    ),
}


@pytest.mark.parametrize("how", RENAMED)
def test_a_renamed_file_is_named_and_the_hint_renames_it_back(shop, migrated: str, how: str) -> None:
    message, change = RENAMED[how]
    before = shop.contents()
    change(shop)

    seen = shop("--database", migrated, "migrate")
    execute_hint(hint_of(seen.err), shop.folder)

    assert seen.status == 5
    assert seen.err.startswith(f"error AIG-T002 {message}\n")
    assert {name: text for name, text in before.items() if name in shop.contents()} == shop.contents()
    assert (shop.folder / NOTES).is_file()


@pytest.mark.parametrize("file", [ROLES, NOTES])
def test_a_deleted_file_can_be_restored_from_the_ledger(shop, migrated: str, file: str) -> None:
    before = shop.contents()
    (shop.folder / file).unlink()
    (shop.folder / "migrations/LOCK").unlink()

    rejected = shop("--database", migrated, "migrate")
    version = str(int(file[11:15]))
    stored = shop("--database", migrated, "status", "--sql", version)
    shop.write(file, stored.out)
    shop.write("migrations/LOCK", before["migrations/LOCK"].decode())

    assert rejected.status == 5
    assert f"The ledger contains its SQL: `aigym-db status --sql {version} > {file}`." in rejected.err
    assert shop.contents() == before
    assert shop("--database", migrated, "migrate").status == 0


def test_a_gap_in_the_numbers_has_a_place(shop, migrated: str) -> None:
    shop.migration("0004_more", "select 1;")

    seen = shop("--database", migrated, "migrate")

    assert seen.status == 5
    assert seen.err.startswith(
        "error AIG-T002 Migration 0003 is missing: migrations/0004_more.sql comes right after 0002.\n"
        "  --> migrations/0004_more.sql:1:1\n"
    )


def test_the_error_about_duplicate_numbers_names_the_applied_file(shop, migrated: str) -> None:
    shop.migration("0002_memos", "select 1;")

    seen = shop("--database", migrated, "migrate")

    assert seen.status == 2
    assert seen.err.startswith(
        "error AIG-P009 Two migrations have the number 0002: migrations/0002_app_notes.sql, "
        "migrations/0002_memos.sql.\n  --> migrations/0002_memos.sql:1:1\n"
    )
    assert "LOCK has frozen migrations/0002_app_notes.sql." in seen.err
    assert " has applied 0002 app_notes." in seen.err
    assert "`git mv migrations/0002_memos.sql migrations/0003_memos.sql`" in hint_of(seen.err)


def test_duplicate_numbers_are_reported_without_a_server(shop) -> None:
    shop.migration("0002_memos", "select 1;")

    seen = shop("--database", "postgresql://127.0.0.1:1/none", "migrate")

    assert (seen.status, "LOCK has frozen" in seen.err, "has applied 0002" in seen.err) == (2, True, False)


def test_the_hint_proposes_only_files_in_the_ledger(shop, migrated: str) -> None:
    seen = shop("--database", migrated, "status", "--sql", "9")

    assert (seen.status, seen.out) == (2, "")
    assert seen.err.startswith("error AIG-P013 The ledger of ")


@pytest.fixture
def late(shop, migrated: str) -> str:
    """A database that ran 0004 before 0003 was added."""
    shop.migration("0003_later", "create table app.later ();", "drop table app.later;")
    shop.migration("0004_newer", "create table app.newer ();", "drop table app.newer;")
    assert shop("freeze").status == 0
    with psycopg.connect(migrated, autocommit=True) as connection:
        connection.execute("create table app.newer ()")
        connection.execute(
            "insert into aigym_db.event (kind, version, name, checksum, direction, tool_version) "
            "values ('apply', 4, 'newer', %s, 'up', '0')",
            ["sha256:" + (shop.folder / "migrations/LOCK").read_text().splitlines()[3][:64]],
        )
    return migrated


def test_a_late_file_is_rejected_until_it_is_allowed_and_status_shows_it(shop, late: str) -> None:
    rejected = shop("--database", late, "migrate")
    allowed = shop("--database", late, "migrate", "--allow-out-of-order", "3")
    again = shop("--database", late, "migrate", "--allow-out-of-order", "3")
    status = shop("--database", late, "status")
    document = shop("--database", late, "--format", "json", "status").document

    assert rejected.status == 5
    assert "AIG-T004 0003 later is not applied and older than 0004, which is applied." in rejected.err
    assert "--> migrations/0003_later.sql:1:1" in rejected.err
    assert "`aigym-db migrate --allow-out-of-order 3`" in hint_of(rejected.err)
    assert (allowed.status, allowed.out.splitlines()[-1]) == (0, "1 applied.")
    assert (again.status, again.out) == (0, "Nothing to apply: the database is up to date.\n")
    assert "(out of order, after 0004)" in next(
        line for line in status.out.splitlines() if "0003 later" in line
    )
    assert [row["out_of_order_after"] for row in document["applied"]] == [None, None, 4, None]
    assert shop("--database", late, "verify", "ledger").status == 0


def test_a_late_file_does_not_stop_a_rollback(shop, late: str) -> None:
    seen = shop("--database", late, "rollback")

    assert (seen.status, seen.out.splitlines()[-1]) == (0, "1 rolled back.")
    assert "0004 newer" in seen.out


def test_phases_run_one_by_one_and_the_remaining_ones_are_listed(shop, migrated: str) -> None:
    shop.migration("0003_wide", "create table app.wide ();", "drop table app.wide;", options="phase:expand")
    shop.migration(
        "0004_narrow", "drop table app.wide;", "create table app.wide ();", options="phase:contract"
    )
    shop("freeze")

    status = shop("--database", migrated, "status")
    early = shop("--database", migrated, "migrate", "--phase", "contract")
    expand = shop("--database", migrated, "--format", "json", "migrate", "--phase", "expand")
    again = shop("--database", migrated, "migrate", "--phase", "expand")
    contract = shop("--database", migrated, "migrate", "--phase", "contract")

    assert status.out.splitlines()[-2:] == [
        "  pending 0003 wide  (expand)",
        "  pending 0004 narrow  (contract)",
    ]
    assert (early.status, early.out) == (3, "")
    assert "error AIG-G008 0004 narrow is a contract migration after" in early.err
    assert "--> migrations/0003_wide.sql:1:1" in early.err
    assert [row["version"] for row in expand.document["applied"]] == [3]
    assert expand.document["waiting"] == [{"version": 4, "name": "narrow", "phase": "contract"}]
    assert again.out == "Nothing to apply in this phase.\n  left for contract: 0004 narrow\n"
    assert (contract.status, contract.out.splitlines()[-1]) == (0, "1 applied.")
