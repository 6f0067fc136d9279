"""A second table: described, drafted, proven, applied, and taken back without a trace."""

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
    found = {file: ("…" if kind == "append" else "") + text for kind, file, text in _FILES.findall(PAGE)}
    assert "schema/app/labels.sql.j2" in found
    shop.write_all(found)
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
    undone = described("--database", migrated, "rollback")

    assert (drafted.status, drafted.out.splitlines()[0]) == (0, "wrote migrations/0003_add_labels.sql")
    assert (linted.status, linted.out) == (0, "No findings.\n")
    assert (applied.status, undone.status) == (0, 0)
    assert between[0] != before[0]
    assert holdings(migrated) == before


def test_what_is_drafted_is_all_there_was_to_draft(described) -> None:
    described("new", "add", "labels")
    files = described.contents()

    again = described("new", "once", "more")

    assert (again.status, described.contents()) == (2, files)
    assert re.match(r"error AIG-P01\d .*\n(.*\n)*  hint: [A-Z]", again.err)


def test_verify_says_what_was_not_drafted_yet(described) -> None:
    seen = described("verify", "state-is-history")

    assert seen.status == 5
    assert "table app.labels exists in the templates but not after the migrations" in seen.out
    assert "--> schema/app/labels.sql.j2:13:18" in seen.out
    assert "help: Draft the missing migration with `aigym-db new NAME`" in seen.out


def test_verify_finds_a_down_that_is_not_the_inverse(described) -> None:
    described("new", "add", "labels")
    described.replace("migrations/0003_add_labels.sql", "drop table app.labels;", "select 1;")

    seen = described("verify", "round-trip")

    assert seen.status == 5
    assert (
        "HIST06 table app.labels exists after the down of 0003 add_labels but not before its up" in seen.out
    )
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
def test_verify_shows_what_somebody_did_by_hand_in_the_database(shop, migrated, kind: str) -> None:
    statement, said = DRIFT[kind]
    with psycopg.connect(migrated, autocommit=True) as connection:
        connection.execute(statement.encode())

    seen = shop("--database", migrated, "verify", "drift")

    assert (seen.status, said in seen.out) == (5, True), seen.out
    assert "--> " in seen.out
    assert "help: Revert the change by hand, or add it to the migrations" in seen.out


def test_a_file_with_nothing_but_comments_is_a_migration_like_any_other(shop, migrated, holdings) -> None:
    before = holdings(migrated)
    shop.migration("0003_nothing", "-- nothing\n/* at all */", "-- nothing")
    shop("freeze")

    applied = shop("--database", migrated, "migrate")
    undone = shop("--database", migrated, "rollback")

    assert (applied.status, undone.status) == (0, 0)
    assert holdings(migrated) == before
