"""Hints of errors whose SQLSTATE has several causes."""

from __future__ import annotations

import psycopg
import pytest

from aigym_db.errors import CannotConnect, EditedMigration, StatementFailed
from aigym_db.migrate.apply import migrate
from aigym_db.migrate.options import Options
from aigym_db.migrate.rollback import rollback
from aigym_db.migrate.status import status

NON_TRANSACTIONAL = " transaction:false"
LATE = """
create table a (x int);
create function reject() returns trigger language plpgsql as $$
begin
  raise insufficient_privilege using message = 'not for you';
end
$$;
create constraint trigger late after insert on a deferrable initially deferred
  for each row execute function reject();
"""


@pytest.mark.parametrize(
    ("text", "options"),
    [("create table a (x int);", ""), ("vacuum;", NON_TRANSACTIONAL)],
    ids=["in a transaction", "outside of one"],
)
def test_a_missing_owner_role_has_a_hint_about_the_configuration(
    database, write, text: str, options: str
) -> None:
    line = (write(1, text, options=options),)

    with pytest.raises(StatementFailed, match='role "missing_role" does not exist') as error:
        migrate(database, line, options=Options(owner="missing_role"))

    assert "correct `owner` in the configuration" in error.value.hint


def test_an_error_of_a_constraint_trigger_at_commit_has_no_such_hint(database, write) -> None:
    line = (write(1, LATE), write(2, "insert into a values (1);"))

    with pytest.raises(StatementFailed, match="not for you") as error:
        migrate(database, line)

    assert "owner" not in error.value.hint
    assert "privilege" in error.value.hint


def test_a_connection_limit_of_one_has_a_hint_that_two_are_needed(database, other, write) -> None:
    other.execute("create role once_only login connection limit 1")
    dsn = psycopg.conninfo.make_conninfo(database, user="once_only")
    try:
        other.execute(f"grant create on database {other.info.dbname} to once_only")

        with pytest.raises(CannotConnect) as error:
            migrate(dsn, (write(1, "select 1;"),))
    finally:
        other.execute("drop owned by once_only; drop role once_only")

    assert "needs two" in error.value.hint


def test_an_edited_draft_has_a_hint_with_commands_that_work(database, write) -> None:
    frozen, draft = write(1, "create table a ();", "drop table a;"), write(2, "create table b ();")
    edited = write(2, "create table c ();", "drop table c;")
    options = Options(frozen=frozenset([1]), local=True)
    migrate(database, (frozen, draft), options=options)

    for call in (
        lambda: migrate(database, (frozen, edited), options=options),
        lambda: rollback(database, (frozen, edited), options=options),
        lambda: status(database, (frozen, edited), frozen=options.frozen, local=True),
    ):
        with pytest.raises(EditedMigration) as error:
            call()
        assert "`aigym-db status --sql 2 > migrations/0002_step_2.sql`" in error.value.hint
        assert "`aigym-db rollback --to 1`" in error.value.hint

    rollback(database, (frozen, draft), to=1, options=options)
    assert [done.migration for done in migrate(database, (frozen, edited), options=options)] == [edited]


def test_an_edited_frozen_migration_is_restored_from_version_control(database, write) -> None:
    migrate(database, (write(1, "create table a ();"),))

    with pytest.raises(EditedMigration) as error:
        migrate(
            database,
            (write(1, "create table b ();"),),
            options=Options(frozen=frozenset([1]), local=True),
        )

    assert error.value.hint.startswith("Restore the file from version control")
