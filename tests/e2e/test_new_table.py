"""A second table: template, draft, lint, apply, and a rollback to the same catalog."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

PAGE = (Path(__file__).parents[2] / "docs/development.md").read_text(encoding="utf-8")
_FILES = re.compile(r"<!-- (file|append): (\S+) -->\n```\w*\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture
def described(shop):
    """The project with the files of docs/development.md."""
    files = {file: ("…" if kind == "append" else "") + text for kind, file, text in _FILES.findall(PAGE)}
    assert "schema/app/labels.sql.j2" in files
    shop.write_all(files)
    return shop


def test_the_draft_of_a_new_table_lints_clean_applies_and_rolls_back_to_the_same_catalog(
    described, migrated: str, holdings: Callable[[str], tuple[object, ...]]
) -> None:
    before = holdings(migrated)

    drafted = described("new", "add", "labels")
    linted = described("lint")
    described("freeze")
    applied = described("--database", migrated, "migrate")
    between = holdings(migrated)
    rolled_back = described("--database", migrated, "rollback")

    assert (drafted.status, drafted.out.splitlines()[0]) == (0, "wrote migrations/0003_add_labels.sql")
    assert (linted.status, linted.out) == (0, "No findings.\n")
    assert (applied.status, rolled_back.status) == (0, 0)
    assert between[0] != before[0]
    assert holdings(migrated) == before


def test_a_draft_contains_all_changes(described) -> None:
    described("new", "add", "labels")
    files = described.contents()

    again = described("new", "once", "more")

    assert (again.status, described.contents()) == (2, files)
    assert re.match(r"error AIG-P01\d .*\n(.*\n)*  hint: [A-Z]", again.err)


def test_verify_lists_changes_without_a_draft(described) -> None:
    seen = described("verify", "state-is-history")

    assert seen.status == 1
    assert "table app.labels exists in the templates but not after the migrations" in seen.out
    assert "--> schema/app/labels.sql.j2:13:18" in seen.out
    assert "hint: Draft the missing migration with `aigym-db new NAME`" in seen.out


def test_verify_finds_a_down_that_is_not_the_inverse(described) -> None:
    described("new", "add", "labels")
    described.replace("migrations/0003_add_labels.sql", "drop table app.labels;", "select 1;")

    seen = described("verify", "round-trip")

    assert seen.status == 1
    message = "exists after 0003 add_labels is rolled back but not before 0003 add_labels is applied"
    assert f"HIST06 table app.labels {message}" in seen.out
    assert "--> migrations/0003_add_labels.sql:" in seen.out


DRIFT = {
    "a column": (
        "alter table app.notes add column extra int",
        "column app.notes.extra exists in the database",
    ),
    "a policy": (
        "drop policy notes_delete on app.notes",
        "policy app.notes.notes_delete exists after the mig",
    ),
    "row security": ("alter table app.notes disable row level security", "table app.notes: row_security is"),
    "a grant": ("grant select on app.notes to app_anonymous", "table app.notes: acl is"),
    "an index": (
        "drop index app.notes_owner_id_idx",
        "index app.notes_owner_id_idx exists after the migrations",
    ),
}


@pytest.mark.parametrize("kind", DRIFT)
def test_verify_reports_manual_changes_of_the_database(shop, migrated, kind: str) -> None:
    statement, message = DRIFT[kind]
    with psycopg.connect(migrated, autocommit=True) as connection:
        connection.execute(statement.encode())

    seen = shop("--database", migrated, "verify", "drift")

    assert (seen.status, message in seen.out) == (5, True), seen.out
    assert "--> " in seen.out
    assert "hint: Revert the change by hand, or add it to the migrations" in seen.out


def test_a_file_of_comments_is_a_migration(shop, migrated, holdings) -> None:
    before = holdings(migrated)
    shop.migration("0003_nothing", "-- nothing\n/* at all */", "-- nothing")
    shop("freeze")

    applied = shop("--database", migrated, "migrate")
    rolled_back = shop("--database", migrated, "rollback")

    assert (applied.status, rolled_back.status) == (0, 0)
    assert holdings(migrated) == before
