"""Hints of errors whose SQLSTATE has several causes."""

from __future__ import annotations

import psycopg
import pytest

from aigym_db.errors import CannotConnect, StatementFailed
from aigym_db.migrate.apply import migrate
from aigym_db.migrate.options import Options

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
