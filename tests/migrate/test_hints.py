"""The way out that a refusal shows, where several would fit the server's code."""

from __future__ import annotations

import psycopg
import pytest

from aigym_db.errors import CannotConnect, StatementFailed
from aigym_db.migrate.apply import migrate
from aigym_db.migrate.options import Options

OUTSIDE = " transaction:false"
LATE = """
create table a (x int);
create function refuse() returns trigger language plpgsql as $$
begin
  raise insufficient_privilege using message = 'not for you';
end
$$;
create constraint trigger late after insert on a deferrable initially deferred
  for each row execute function refuse();
"""


@pytest.mark.parametrize(
    ("text", "options"),
    [("create table a (x int);", ""), ("vacuum;", OUTSIDE)],
    ids=["in a transaction", "outside of one"],
)
def test_a_role_to_act_as_that_is_not_there_is_a_matter_of_the_configuration(
    database, write, text: str, options: str
) -> None:
    line = (write(1, text, options=options),)

    with pytest.raises(StatementFailed, match='role "nobody_there" does not exist') as refusal:
        migrate(database, line, options=Options(owner="nobody_there"))

    assert "correct `owner` in the configuration" in refusal.value.hint


def test_what_a_constraint_trigger_refuses_in_the_commit_is_not(database, write) -> None:
    line = (write(1, LATE), write(2, "insert into a values (1);"))

    with pytest.raises(StatementFailed, match="not for you") as refusal:
        migrate(database, line)

    assert "owner" not in refusal.value.hint
    assert "privilege" in refusal.value.hint


def test_a_role_that_may_connect_once_only_is_told_that_two_are_needed(database, other, write) -> None:
    other.execute("create role once_only login connection limit 1")
    dsn = psycopg.conninfo.make_conninfo(database, user="once_only")
    try:
        other.execute(f"grant create on database {other.info.dbname} to once_only")

        with pytest.raises(CannotConnect) as refusal:
            migrate(dsn, (write(1, "select 1;"),))
    finally:
        other.execute("drop owned by once_only; drop role once_only")

    assert "needs two" in refusal.value.hint
