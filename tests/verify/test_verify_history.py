"""Findings of `verify` for migrations and templates that differ, and its skipped checks."""

from __future__ import annotations

import pytest

from aigym_db.errors import BadCommandLine
from aigym_db.project.config import find
from aigym_db.project.lock_file import freeze
from aigym_db.project.migrations import migrations
from aigym_db.verify.verify import verify


def test_a_consistent_project_passes(project, migrated, findings_text) -> None:
    freeze(project, migrations(project))

    verified = verify(project, dsn=migrated, names=("history",))

    assert findings_text(verified) == ""
    assert set(verified.ran) == {
        "lock",
        "lock-grows",
        "ledger",
        "drift",
        "state-is-history",
        "round-trip",
        "non-superuser-owner",
        "contract-still-needed",
    }


STATE = "state-is-history"


def test_the_hint_names_the_command_for_a_new_column(project, edit) -> None:
    edit("schema/app/birds.sql.j2", "name text", "size int, name text")

    hints = {finding.hint for finding in verify(project, names=(STATE,)).findings}

    assert len(hints) == 1
    assert "`aigym-db new NAME --empty`, then ALTER TABLE" in str(hints)


@pytest.mark.parametrize(
    ("name", "file", "old", "new", "expected"),
    [
        pytest.param(
            STATE,
            "schema/app/birds.sql.j2",
            "name text",
            "name varchar(9)",
            "schema/app/birds.sql.j2:14:3: column app.birds.name: type is `text` after the migrations and "
            "`character varying(9)` in the templates.",
            id="a column's type",
        ),
        pytest.param(
            STATE,
            "schema/app/_schema.sql.j2",
            "app;",
            "app; create schema more;",
            "schema more exists in the templates but not after the migrations.",
            id="an additional schema",
        ),
        pytest.param(
            STATE,
            "schema/_roles.sql.j2",
            "create role history_owner",
            "create role history_owner bypassrls",
            "schema/_roles.sql.j2:2:67: role history_owner: bypass_rls is `false` after",
            id="a role with more privileges",
        ),
        pytest.param(
            STATE,
            "schema/app/birds.sql.j2",
            "name text",
            "name nope",
            'schema/app/birds.sql.j2:14:8: schema/app/birds.sql.j2: type "nope" does not exist',
            id="a template that fails",
        ),
        pytest.param(
            "round-trip",
            "migrations/0002_birds.sql",
            "drop schema app;",
            "",
            "migrations/0002_birds.sql:8:1: "
            "schema app exists after 0002 birds is rolled back but not before 0002 birds is applied.",
            id="an incomplete down",
        ),
        pytest.param(
            "round-trip",
            "migrations/0002_birds.sql",
            "drop table app.birds",
            "drop table app.bird",
            'migrations/0002_birds.sql:8:1: migrations/0002_birds.sql: table "bird" does not exist',
            id="a down that fails",
        ),
        pytest.param(
            "non-superuser-owner",
            "migrations/0001_roles.sql",
            "-- migrate:down",
            "alter role history_owner createdb;\n-- migrate:down",
            "migrations/0001_roles.sql:10:1: migrations/0001_roles.sql: permission denied to alter role",
            id="a statement that requires a superuser",
        ),
        pytest.param(
            "non-superuser-owner",
            "migrations/0002_birds.sql",
            "create table app.birds",
            "do $$ begin if (select usesuper from pg_catalog.pg_user where usename = session_user) then "
            "create table app.extra (); end if; end $$;\ncreate table app.birds",
            "table app.extra exists if a superuser migrates but not if a non-superuser member of",
            id="another effect for a superuser",
        ),
    ],
)
def test_a_difference_is_reported_with_object_fact_and_place(
    project, edit, findings_text, name, file, old, new, expected
) -> None:
    edit(file, old, new)

    verified = verify(project, names=(name,))

    assert expected in findings_text(verified)
    assert {finding.level for finding in verified.findings} == {"error"}


def test_an_object_that_a_down_does_not_drop_is_reported_once(project, write, edit) -> None:
    edit("migrations/0002_birds.sql", "drop schema app;", "")
    write("migrations/0003_more.sql", "-- migrate:up\ncreate table app.more ();\n-- migrate:down\n")
    write("migrations/0004_last.sql", "-- migrate:up\nselect 1;\n-- migrate:down\nselect 1;\n")
    edit("migrations/0002_birds.sql", "drop table app.birds;", "drop table app.birds, app.more;")

    messages = [finding.message for finding in verify(project, names=("round-trip",)).findings]

    assert [message for message in messages if "table app.more" in message] == [
        "table app.more exists after 0003 more is rolled back but not before 0003 more is applied."
    ]
    assert [message for message in messages if message.startswith("schema app ")] == [
        "schema app exists after 0002 birds is rolled back but not before 0002 birds is applied."
    ]


def test_the_round_trip_ends_at_an_irreversible_migration(project, write) -> None:
    up = "-- migrate:up\ncreate table app.more ();\n-- migrate:down irreversible: data is gone\n"
    write("migrations/0003_more.sql", up)
    last = "-- migrate:up\ncreate table app.last ();\n-- migrate:down\ndrop table app.last;\n"
    write("migrations/0004_last.sql", last)

    assert verify(project, names=("round-trip",)).findings == ()


def test_a_check_without_its_input_is_skipped_with_a_reason(tmp_path, write) -> None:
    write("migrations/0001_one.sql", "-- migrate:up\nselect 1;\n-- migrate:down\nselect 1;\n")

    verified = verify(find(tmp_path))

    assert verified.skipped == {
        "ledger": "no database is specified",
        "drift": "no database is specified",
        "state-is-history": "the project has no templates",
    }
    assert "round-trip" in verified.ran


@pytest.mark.parametrize(
    ("name", "hint"),
    [("round-trips", "Write `round-trip`"), ("ledger", "Specify a database with --database")],
)
def test_selecting_a_check_that_cannot_run_is_an_error(project, name, hint) -> None:
    with pytest.raises(BadCommandLine) as raised:
        verify(project, names=(name,))

    assert hint in raised.value.hint
