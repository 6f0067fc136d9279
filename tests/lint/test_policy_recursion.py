"""policy-recursion compared with the server."""

from __future__ import annotations

import psycopg
import pytest

from aigym_db.lint.engine import lint_text

TABLES = """
create schema coach;
create function coach.me() returns integer language sql stable as $$ select 1 $$;
create table coach.t (id integer, u integer);
create table coach.o (id integer, u integer);
alter table coach.t enable row level security;
alter table coach.o enable row level security;
grant usage on schema coach to authenticated;
grant select, insert, update on coach.t, coach.o to authenticated;
create policy everything on coach.o for insert to authenticated with check (u = 1);
"""
PLAIN = "create policy s on coach.t for select to authenticated using (u = 1);"
SUBQUERY = "create policy s on coach.t for select to authenticated using (u = (select coach.me()));"
OTHER = "create policy o on coach.o for select to authenticated using (u in (select u from coach.t));"
CIRCLE = "create policy s on coach.t for select to authenticated using (u in (select o.u from coach.o));"
INSERT = "insert into coach.t values (1, 1)"
UPDATE = "update coach.t set u = 1"
READ = "select from coach.t"
INSERTS = "create policy i on coach.t for insert to authenticated with check"
SAME = " (exists (select 1 from coach.t x where x.id = t.id))"
UPDATES = "create policy w on coach.t for update to authenticated using"


@pytest.mark.parametrize(
    ("policies", "query"),
    [
        (PLAIN, READ),
        (SUBQUERY, READ),
        (
            "create policy s on coach.t for select to authenticated"
            " using (u in (select x.u from coach.t x));",
            READ,
        ),
        (SUBQUERY + INSERTS + " (not exists (select 1 from coach.t x where x.id = t.id));", INSERT),
        (PLAIN + INSERTS + " (not exists (select 1 from coach.t x where x.id = t.id));", INSERT),
        (SUBQUERY + UPDATES + SAME + " with check (u = 1);", UPDATE),
        (PLAIN + UPDATES + SAME + " with check (u = 1);", UPDATE),
        (PLAIN + OTHER, READ),
        (
            OTHER
            + "create policy s on coach.t for select to authenticated using (u in (select u from coach.o));",
            READ,
        ),
        (PLAIN + OTHER + INSERTS + " (u in (select u from coach.o) or u = 1);", INSERT),
        (SUBQUERY + OTHER + INSERTS + " (u in (select u from coach.o) or u = 1);", INSERT),
    ],
)
def test_recursion_is_reported_exactly_if_the_server_raises_it(
    database: str, lint_roles: None, policies: str, query: str
) -> None:
    rules = {finding.rule for finding in lint_text(TABLES + policies, "x.sql")}

    with psycopg.connect(database) as connection:
        connection.execute(TABLES + policies)
        connection.execute("set local role authenticated")
        try:
            connection.execute(query)
            state = ""
        except psycopg.Error as error:
            state = error.sqlstate or ""

    assert ("policy-recursion" in rules) == (state == "42P17"), state
