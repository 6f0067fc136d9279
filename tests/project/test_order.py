"""The state in an order that PostgreSQL can run: required objects come first, cycles are rejected."""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations

import psycopg
import pytest

from aigym_db.errors import BadSql, ReferenceCycle, UnknownReference
from aigym_db.project.config import Project
from aigym_db.project.order import ordered, state_sql

Make = Callable[[dict[str, str]], Project]
Write = Callable[..., str]
SCHEMAS = {"schema/a/_schema.sql.j2": "create schema a;", "schema/b/_schema.sql.j2": "create schema b;"}


@pytest.fixture
def files(make: Make, card: Write) -> Callable[..., list[str]]:
    """The order of files given by short names such as `a/t`, without the schemas; tables get a card."""

    def order(texts: dict[str, str]) -> list[str]:
        named = {}
        for name, text in texts.items():
            file = name if name.startswith("policies/") else f"schema/{name}"
            is_table = "/" in name and "_" not in name and file == f"schema/{name}"
            named[f"{file}.sql.j2"] = (card(name.replace("/", ".")) if is_table else "") + text
        scripts = ordered(make(SCHEMAS | named))
        short = [script.source.file.removesuffix(".sql.j2").removeprefix("schema/") for script in scripts]
        return [name for name in short if not name.endswith("_schema")]

    return order


Files = Callable[[dict[str, str]], list[str]]


def test_roles_then_schemas_then_kinds_by_domain_then_policies(files: Files, make: Make) -> None:
    order = files(
        {
            "policies/a": "grant select on a.t to x;",
            "b/_types": "create type b.e as enum ();",
            "a/_links": "alter table a.t add u int;",
            "a/_views/v": "create view a.v as select 1;",
            "a/_functions/f": "create function a.f() returns int language sql as $$ select 1 $$;",
            "a/u": "create table a.u ();",
            "a/t": "create table a.t ();",
            "a/_types": "create type a.e as enum ();",
            "_roles": "create role x;",
        }
    )

    assert order == [
        *("_roles", "a/_types", "a/t", "a/u", "a/_functions/f", "a/_views/v", "a/_links"),
        *("b/_types", "policies/a"),
    ]
    assert [script.source.file for script in ordered(make({}))][:3] == [
        "schema/_roles.sql.j2",
        "schema/a/_schema.sql.j2",
        "schema/b/_schema.sql.j2",
    ]


TABLE = "create table b.z (id int primary key, i int);"
TYPE = "create type b.e as enum ('q');"
SEQUENCE = "create sequence b.s;"
FUNCTION = "create function b.f() returns int language sql immutable as $$ select 1 $$;"
TRIGGER = "create function b.f() returns trigger language plpgsql as 'begin return new; end';"
SUM = "create function b.f(int, int) returns int language sql as 'select 1';"
DOMAIN = f"create domain b.e as int; {FUNCTION}"
NEEDS = {
    "foreign key": ("create table a.x (z int references b.z);", TABLE),
    "column type": ("create table a.x (e b.e[]);", TYPE),
    "default": ("create table a.x (i int default b.f());", FUNCTION),
    "check": ("create table a.x (i int check (b.f() > i));", FUNCTION),
    "index": ("create table a.x (i int); create index on a.x ((i + b.f()));", FUNCTION),
    "generated": ("create table a.x (i int generated always as (b.f()) stored);", FUNCTION),
    "nextval": ("create table a.x (i int default nextval('b.s'));", SEQUENCE),
    "regclass": ("create table a.x (i oid default 'b.s'::regclass);", SEQUENCE),
    "like": ("create table a.x (like b.z);", TABLE),
    "inherits": ("create table a.x () inherits (b.z);", TABLE),
    "view": ("create view a.x as with q as (select * from b.z) select * from q;", TABLE),
    "materialised view": ("create materialized view a.x as table b.z;", TABLE),
    "function body": (
        "create function a.x() returns bigint language sql as 'select count(*) from b.z where id > 0';",
        TABLE,
    ),
    "atomic body": (
        "create function a.x() returns int begin atomic insert into b.z values (1); select 1; end;",
        TABLE,
    ),
    "parameter type": ("create function a.x(p b.z.id%type) returns int language sql as 'select 1';", TABLE),
    "parameter default": (
        "create function a.x(p int default b.f()) returns int language sql as 'select 1';",
        FUNCTION,
    ),
    "return type": ("create function a.x() returns setof b.z language plpgsql as 'begin end';", TABLE),
    "trigger": (
        "create table a.x (); create trigger t before insert on a.x for each row execute function b.f();",
        TRIGGER,
    ),
    "domain": ("create domain a.x as b.e check (value > b.f());", DOMAIN),
    "aggregate": ("create aggregate a.x(int) (sfunc = b.f, stype = int);", SUM),
    "comment": ("comment on column b.z.i is 'x';", TABLE),
    "comment on function": ("comment on function b.f() is 'x';", FUNCTION),
    "comment on key": ("comment on index b.z_pkey is 'x';", TABLE),
    "grant": ("grant select on b.z to public;", TABLE),
    "grant on function": ("grant execute on function b.f() to public;", FUNCTION),
    "grant on type": ("grant usage on type b.e to public;", TYPE),
    "enum value": ("alter type b.e add value 'z';", TYPE),
    "owned sequence": ("create sequence b.s; alter sequence b.s owned by b.z.i;", TABLE),
    "body that runs": ("select a.run();", TABLE),
    "do block": ("do $$ begin insert into b.z values (1); end $$;", TABLE),
    "quoted": ("comment on table b.\"Z z\" is 'x';", 'create table b."Z z" ();'),
}
RUN = "create function a.run() returns void language plpgsql as $$ begin perform a.inner_(); end $$;"
INNER = (
    "create function a.inner_() returns void language plpgsql"
    " as $$ begin insert into b.z(id) values (1); end $$;"
)


@pytest.mark.parametrize("case", NEEDS)
def test_what_a_file_needs_comes_before_it_and_the_server_agrees(
    make: Make, card: Write, database: str, case: str
) -> None:
    needs, made = NEEDS[case]
    file = {TABLE: "schema/b/z.sql.j2"}.get(made, "schema/b/_types.sql.j2")
    texts = {
        "schema/a/_types.sql.j2": needs,
        "schema/a/_functions/run.sql.j2": RUN,
        "schema/a/_functions/inner_.sql.j2": INNER,
        file: made,
        "schema/b/z.sql.j2": card("b.z") + TABLE,
    }
    project = make(SCHEMAS | texts)

    order = [script.source.file for script in ordered(project)]

    assert order.index(file) < order.index("schema/a/_types.sql.j2")
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(state_sql(project))


def test_the_body_of_a_function_in_plpgsql_orders_nothing_until_it_runs(files: Files) -> None:
    body = (
        "create function a.f() returns void language plpgsql as $$ begin insert into b.z values (1); end $$;"
    )

    assert files({"a/_functions/f": body, "b/z": "create table b.z (i int);"}) == ["a/_functions/f", "b/z"]


@pytest.mark.parametrize("names", [*permutations(["t", "u", "v"])])
def test_the_order_does_not_depend_on_how_files_are_named_or_found(
    files: Files, names: tuple[str, str, str]
) -> None:
    first, second, third = names

    order = files(
        {
            f"a/{second}": f"create table a.{second} (id int primary key references a.{first});",
            f"a/{third}": f"create table a.{third} (id int references a.{second});",
            f"a/{first}": f"create table a.{first} (id int primary key);",
        }
    )

    assert order == [f"a/{name}" for name in names]


def test_the_same_files_give_the_same_text(make: Make) -> None:
    project = make(SCHEMAS | {"schema/a/_types.sql.j2": "create type a.e as enum ();"})

    assert state_sql(project) == state_sql(project)
    assert "\n-- schema/a/_types.sql.j2\ncreate type a.e as enum ();\n" in state_sql(project)


def test_two_tables_that_need_each_other_are_named_with_both_places(files: Files) -> None:
    with pytest.raises(ReferenceCycle) as caught:
        files(
            {
                "a/t": "create table a.t (\n  id int primary key,\n  u int references a.u\n);",
                "a/u": "create table a.u (\n  id int primary key references a.t\n);",
                "a/v": "create table a.v (id int references a.u);",
            }
        )

    error = caught.value
    assert error.message == "a.t and a.u require each other, so neither can be created first."
    assert str(error.place) == "schema/a/t.sql.j2:14:20"
    assert error.detail.split("\n") == [
        "a.t requires a.u at schema/a/t.sql.j2:14:20",
        "a.u requires a.t at schema/a/u.sql.j2:13:33",
    ]
    assert "schema/a/_links.sql.j2" in error.hint


def test_the_shortest_cycle_is_reported(files: Files) -> None:
    with pytest.raises(ReferenceCycle) as caught:
        files(
            {
                f"a/{name}": f"create table a.{name} (id int primary key, "
                + ", ".join(f"{other} int references a.{other}" for other in others)
                + ");"
                for name, others in {"p": "q", "q": "r", "r": "sp", "s": "t", "t": "q"}.items()
            }
        )

    assert caught.value.message.startswith("a.p → a.q → a.r → a.p is a circular dependency")
    assert len(caught.value.detail.split("\n")) == 3


def test_a_cycle_without_a_foreign_key_is_reported(files: Files) -> None:
    with pytest.raises(ReferenceCycle) as caught:
        files(
            {
                "a/t": "create table a.t (id int check (a.f() > 0));",
                "a/_functions/f": "create function a.f() returns int language sql as 'select id from a.t';",
            }
        )

    assert "a.t" in caught.value.message
    assert "schema/a/_functions/f.sql.j2" in caught.value.message
    assert "plpgsql" in caught.value.hint


def test_a_late_foreign_key_breaks_a_circle(files: Files) -> None:
    order = files(
        {
            "a/t": "create table a.t (id int primary key);",
            "a/u": "create table a.u (id int primary key references a.t);",
            "a/_links": "alter table a.t add foreign key (id) references a.u;",
        }
    )

    assert order == ["a/t", "a/u", "a/_links"]


@pytest.mark.parametrize(
    ("sql", "place", "words", "hint"),
    [
        ("create table a.t (\n  x int references a.userz\n);", "13:20", "type a.userz", "Write `a.users`."),
        ("create table a.t (\n  x int default a.numbr()\n);", "13:17", "a.numbr", "Write `a.number`."),
        ("create table a.t (x bb.kind);", "12:21", "no schema bb", "Add a domain bb"),
        ("create table a.t (x elsewhere.kind);", "12:21", "no schema elsewhere", "Add a domain"),
        ("create table a.t (x b.users);", "12:21", "type b.users", "Write `a.users`."),
        ("create table a.t ();\ncomment on table a.tt is 'x';", "13:18", "a.tt", "Write `a.t`."),
        ("create table a.t (x a.qqqqqqqq);", "12:21", "a.qqqqqqqq", "Describe it in schema/a/"),
    ],
)  # fmt: skip
def test_a_name_that_no_file_creates_is_shown_where_it_stands(
    files: Files, sql: str, place: str, words: str, hint: str
) -> None:
    with pytest.raises(UnknownReference) as caught:
        files(
            {
                "a/t": sql,
                "a/users": "create table a.users (id int primary key);",
                "a/_functions/number": "create function a.number() returns int language sql as 'select 1';",
            }
        )

    assert str(caught.value.place) == f"schema/a/t.sql.j2:{place}"
    assert words in caught.value.message
    assert caught.value.hint.startswith(hint)


def test_a_name_inside_a_function_body_is_shown_in_the_body(files: Files) -> None:
    body = "create function a.f() returns int language sql as $é$\n  select '😀', 1 from a.none\n$é$;"

    with pytest.raises(UnknownReference) as caught:
        files({"a/_functions/f": body})

    assert str(caught.value.place) == "schema/a/_functions/f.sql.j2:2:22"


def test_a_function_body_in_sql_that_does_not_parse_is_shown_in_the_body(files: Files) -> None:
    body = "create function a.f() returns int language sql as $é$\n  select é frm\n  x $é$;"

    with pytest.raises(BadSql) as caught:
        files({"a/_functions/f": body})

    assert str(caught.value.place) == "schema/a/_functions/f.sql.j2:3:3"


@pytest.mark.parametrize(
    "sql",
    [
        "create table a.t (x pg_catalog.int4, y information_schema.sql_identifier, z int default random());",
        "create table a.t (x uuid references auth.users, y text default auth.role());",
        "create table a.t (x int); drop function if exists a.gone();",
        "create table a.t (x int); create view a.v as with q as (select 1) select * from q, pg_class;",
        "create table a.t (x int generated always as identity); comment on sequence a.t_x_seq is 'x';",
        "create table a.t (x int unique); comment on index a.t_x_key is 'x';",
        "create table a.t (x a.t);",
    ],
)
def test_what_the_server_an_external_domain_or_the_file_itself_brings_is_known(
    files: Files, sql: str
) -> None:
    assert files({"a/t": sql}) == ["a/t"]


@pytest.mark.parametrize("sql", ["x int references a.t", "x a.t"])
def test_a_domain_references_only_what_it_may(files: Files, sql: str) -> None:
    with pytest.raises(UnknownReference, match="domain b may not reference a") as caught:
        files({"a/t": "create table a.t (id int primary key);", "b/u": f"create table b.u ({sql});"})

    assert caught.value.place is not None
    assert caught.value.place.text == f"create table b.u ({sql});"
    assert 'Add "a" to may_reference of b' in caught.value.hint


def test_functions_may_be_called_across_domains(files: Files) -> None:
    order = files(
        {
            "a/_functions/f": "create function a.f() returns int language sql as 'select 1';",
            "b/u": "create table b.u (x int default a.f());",
        }
    )

    assert order == ["a/_functions/f", "b/u"]
