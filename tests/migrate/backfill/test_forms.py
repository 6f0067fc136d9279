"""All forms of a backfill statement, on all kinds of relations."""

from __future__ import annotations

import pytest

from aigym_db.errors import ForbiddenStatement, StatementFailed
from aigym_db.migrate.apply import migrate


@pytest.mark.parametrize(
    "text",
    [
        "update only public.o set n = n + 1, done = true where not done;",
        'update public.o as "O d" set n = "O d".n + 1, done = true where not "O d".done -- the rest\n;',
        "update o x set n = x.n + 1, done = true from t, u as v join t as w using (id)\n"
        "where t.id = 1 and v.id = 1 and (t.a is distinct from 'b' or false) and not x.done;",
        "with update as (select id from t where true) update o set n = n + 1, done = true"
        " where not done and exists (select from update where id = 1);",
        "/* where */ update o set n = n + (select 1 where true), done = (n is distinct from null)"
        " where /* x */ not done and 'where; ' <> '$$' -- ( \n",
        "update o set n = o.n + 1, done = o.n is distinct from null from t where t.id = 1 and not o.done",
        "update o set (n, done) = (select o.n + 1, true) where done is not true",
        "update o set n = case when true then n + 1 end, done = true where not done or pad is null and n = 0",
    ],
)
def test_every_form_of_update_runs_in_batches(
    database, other, table, write, backfill, counts, journal, text
) -> None:
    others = write(
        2,
        "create table t (id int, a text); create table u (id int); insert into t values (1, 'a');\n"
        "insert into u values (1);",
    )

    migrate(database, (table, others, backfill(3, text)))

    assert counts(other) == [(1, 5000)]
    assert len(journal(other, 3)) > 4


@pytest.mark.parametrize(
    "text",
    [
        "delete from o where id % 2 = 0;",
        "delete from only (public.o) where id % 2 = 0",
        "delete from o as x using t where t.id = x.id % 2 and t.a = 'gone'",
        "with gone as materialized (select 0 as id) delete from o using gone where o.id % 2 = gone.id;",
    ],
)
def test_rows_are_deleted_in_batches(database, other, table, write, backfill, counts, journal, text) -> None:
    others = write(2, "create table t (id int, a text); insert into t values (0, 'gone');")

    migrate(database, (table, others, backfill(3, text)))

    assert counts(other) == [(0, 2500)]
    assert len(journal(other, 3)) > 4


def test_every_partition_is_changed_also_if_rows_move_between_partitions(
    database, other, write, backfill, counts, journal
) -> None:
    create = write(
        1,
        """
        create table o (id int, n int default 0, done boolean default false) partition by list (done);
        create table o_false partition of o for values in (false) partition by range (id);
        create table o_low partition of o_false for values from (0) to (1000);
        create table o_high partition of o_false for values from (1000) to (9000);
        create table o_true partition of o for values in (true);
        insert into o select i from generate_series(1, 5000) as i;
        """,
    )

    migrate(database, (create, backfill()))

    assert counts(other) == [(1, 5000)]
    assert [len(detail["tables"]) for kind, detail in journal(other) if kind == "intent"] == [3]
    plan = other.execute(
        "explain update o set n = n + 1 where ctid >= '(0,0)' and ctid < '(2,0)' and not done"
    ).fetchall()
    assert {line[0].strip().lstrip("-> ")[:19] for line in plan if "Scan" in line[0]} == {
        "Tid Range Scan on o"
    }


def test_child_tables_are_changed_except_with_only(
    database, other, table, write, backfill, once, counts, journal
) -> None:
    more = write(2, "create table p () inherits (o); insert into p (id) select generate_series(9001, 9100);")
    only = backfill(3, once.replace("update", "update only"))

    migrate(database, (table, more, only))
    assert counts(other) == [(0, 100), (1, 5000)]
    assert [len(detail["tables"]) for kind, detail in journal(other, 3) if kind == "intent"] == [1]

    migrate(database, (table, more, only, backfill(4)))
    assert counts(other) == [(1, 5100)]


def test_an_invalid_statement_fails_on_an_empty_table(database, other, write, backfill, journal) -> None:
    empty = write(1, "create table o (id int, n int, done boolean);")

    with pytest.raises(StatementFailed, match='column "nope" does not exist') as error:
        migrate(database, (empty, backfill(2, "update o set n = 1\nwhere done and nope;")))
    assert (error.value.place.line, error.value.place.column) == (4, 16)

    migrate(database, (empty, backfill()))
    assert journal(other)[-1] == ("apply", {"rows": 0, "batches": 1, "left": 0})


def test_a_missing_table_is_reported_with_its_place(database, table, backfill) -> None:
    with pytest.raises(StatementFailed, match=r'relation "app\.nope" does not exist') as error:
        migrate(database, (table, backfill(2, "update\n  app.nope set n = 1 where n = 0;")))

    assert (error.value.place.line, error.value.place.column) == (4, 3)


@pytest.mark.parametrize(
    ("create", "kind"),
    [
        ("create view v as select * from o;", "a view"),
        ("create materialized view v as select * from o;", "a materialized view"),
    ],
)
def test_a_view_is_rejected(database, other, table, write, backfill, once, counts, create, kind) -> None:
    with pytest.raises(ForbiddenStatement, match=f"v is {kind}"):
        migrate(database, (table, write(2, create), backfill(3, once.replace("update o", "update v"))))

    assert counts(other) == [(0, 5000)]
