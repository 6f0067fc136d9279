"""The recorded interface of a schema: printed, written, compared, and as types of clients."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, get_args

import psycopg
import pytest

from tests.support.command import ProjectFolder

SCHEMA = """create domain public.mood as text check (value in ('good', 'bad'));
create schema api;
create table public.birds (id bigint primary key, name text, mood public.mood, seen timestamptz);
create view api.birds with (security_invoker = true) as select id, name, mood, seen from public.birds;
grant select (id), insert (name) on api.birds to pg_monitor;
grant select on api.birds to pg_monitor;
create function api.rename(bird bigint, moods public.mood[] default null)
returns table (id bigint, mood public.mood) language sql return (null, null);
create function api.count() returns bigint language sql return 1;
revoke execute on all functions in schema api from public;
grant execute on function api.count() to pg_monitor;
"""
FACTS = """view api.birds
  api.birds.id bigint
  api.birds.name text
  api.birds.mood public.mood
  api.birds.seen timestamp with time zone
  api.birds: select, insert (name), select (id) to pg_monitor
function api.count() returns bigint
  api.count(): execute to pg_monitor
function api.rename(bird bigint, moods public.mood[] default) returns table (id bigint, mood public.mood)
type public.mood text
  public.mood: good
  public.mood: bad
"""


@pytest.fixture
def project(tmp_path: Path, database: str) -> ProjectFolder:
    """A project with a migration of an API, applied to the database."""
    (tmp_path / "aigym-db.toml").touch()
    (tmp_path / "schema/api").mkdir(parents=True)
    folder = ProjectFolder(tmp_path, database)
    folder.migration("0001_api", SCHEMA, "drop schema api cascade;")
    folder.freeze()
    assert folder.run("migrate").status == 0
    return folder


def test_the_interface_is_one_fact_a_line(project: ProjectFolder) -> None:
    assert project.run("interface", "api").out == FACTS


def test_a_recorded_interface_passes_and_a_change_is_reported(
    project: ProjectFolder, database: str, tmp_path: Path
) -> None:
    written = project.run("interface", "api", "--write")
    assert (tmp_path / "schema/api/_interface.txt").read_text() == FACTS
    assert written.out == "wrote schema/api/_interface.txt: 12 facts.\n"
    assert project.run("verify", "interface").status == 0

    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("drop function api.count()")
        connection.execute("create function api.sum() returns bigint language sql return 1")
        connection.execute("alter domain public.mood drop constraint mood_check")
    changed = project.run("verify", "interface")

    assert changed.status == 1
    for fact in ("lacks: function api.count() returns bigint", "lacks: public.mood: bad"):
        assert fact in changed.out + changed.err
    assert "addition that is not recorded: function api.sum() returns bigint" in changed.out + changed.err


def test_types_of_clients(project: ProjectFolder) -> None:
    typescript = project.run("interface", "api", "--types", "typescript").out
    python = project.run("interface", "api", "--types", "python").out
    names: dict[str, object] = {}
    exec(python, names)

    assert '          mood: "good" | "bad" | null;' in typescript
    assert '          moods?: ("good" | "bad")[];' in typescript
    assert '        Returns: { id: number | null; mood: "good" | "bad" | null }[];' in typescript
    assert names["Birds"].__annotations__.keys() == {"id", "name", "mood", "seen"}
    assert "    moods: NotRequired[list[Literal['good', 'bad']]]" in python
    assert "RenameResult = list[RenameRow]" in python


AWKWARD = r"""create schema "A b";
create type "A b".mood as enum ('it''s "bad"', E'two\nlines', E'back\\slash');
create type "A b".pair as (a int, "B c" "A b".mood);
create domain "A b".positive as int check (value > 0);
create domain "A b".small as "A b".positive check (value < 10);
create table "A b"."a.b" (
  "x "" y" text, class "A b".mood, date date, later date, at timestamptz(3), amounts numeric(10, 2)[],
  size "A b".small, pair "A b".pair
);
create table "A b"."any" (x json);
create table "A b"."none" ();
create table "A b"."1st" (__x int);
create table "A b".foo_bar (a int);
create table "A b"."foo bar" (a int);
create function "A b".f(a int) returns int language sql return a;
create function "A b".f(a text, "b c" int default 3) returns text language sql return a;
create function "A b".outputs(a int, out b int, c text, out d text) language sql as 'select 1, ''x''';
create function "A b".pairs() returns setof "A b".pair language sql as 'select 1, null::"A b".mood';
create function "A b".rows() returns setof "A b"."a.b" language sql as 'select * from "A b"."a.b"';
create procedure "A b".p(inout a int) language sql as 'select 1';
create aggregate "A b".total(int) (sfunc = int4pl, stype = int);
create function "A b".e() returns event_trigger language plpgsql as 'begin end';
"""


@pytest.fixture
def awkward(project: ProjectFolder, database: str) -> ProjectFolder:
    """The project, whose database has a schema of names that need quotes."""
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(AWKWARD.encode())
    return project


def test_facts_of_every_kind(awkward: ProjectFolder, database: str, tmp_path: Path) -> None:
    facts = awkward.run("--database", database, "interface", "A b").out

    for fact in (
        'function "A b".outputs(a integer, c text) returns table (b integer, d text)',
        'function "A b".f(a text, "b c" integer default) returns text',
        'procedure "A b".p(a integer) returns table (a integer)',
        'aggregate "A b".total($1 integer) returns integer',
        'type "A b".pair record\n  "A b".pair.a integer\n  "A b".pair."B c" "A b".mood',
        'type "A b".positive integer',
        'type "A b".small "A b".positive',
        r'  "A b".mood: two\nlines',
    ):
        assert f"{fact}\n" in facts
    assert "event_trigger" not in facts
    (tmp_path / "schema/A b").mkdir()
    awkward.run("--database", database, "interface", "A b", "--write")
    assert "INT04" not in awkward.run("--database", database, "verify", "interface").out


def test_typescript_of_names_that_need_quotes_and_overloads(awkward: ProjectFolder, database: str) -> None:
    typescript = awkward.run("--database", database, "interface", "A b", "--types", "typescript").out

    for text in (
        '  "A b": {\n',
        '      "a.b": {\n        Row: {\n          "x \\" y": string | null;\n',
        r'          class: "it' + r"'" + r's \"bad\"" | "two\nlines" | "back\\slash" | null;',
        "          amounts: (number)[] | null;\n          size: number | null;\n",
        "        Returns: number;\n      } | {\n        Args: {\n          a: string;\n",
        '        Returns: ({ "x \\" y": string | null; ',
    ):
        assert text in typescript
    assert typescript.count("      f: {") == 1
    assert "total" not in typescript


def test_python_of_names_that_need_quotes_and_overloads(awkward: ProjectFolder, database: str) -> None:
    names: dict[str, Any] = {}
    exec(awkward.run("--database", database, "interface", "A b", "--types", "python").out, names)

    row = names["AB"].__annotations__
    assert row.keys() == {'x " y', "class", "date", "later", "at", "amounts", "size", "pair"}
    assert (row["at"], row["size"]) == (datetime | None, int | None)
    assert row["amounts"] == list[Decimal] | None
    assert get_args(names["RowsResult"]) == (names["AB"],)
    assert get_args(names["PairsResult"]) == (names["PairsRow"],)
    assert names["F2Arguments"].__annotations__.keys() == {"a", "b c"}
    assert {"Any2", "None2", "_1st", "FooBar", "FooBar2"} <= names.keys()


def test_blank_lines_and_line_ends_of_a_recorded_interface_are_ignored(
    project: ProjectFolder, tmp_path: Path
) -> None:
    project.run("interface", "api", "--write")
    file = tmp_path / "schema/api/_interface.txt"
    file.write_bytes(FACTS.replace("function", "\nfunction", 1).replace("\n", "\r\n").encode())

    assert project.run("verify", "interface").status == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("nothing",), "The schema nothing does not exist or contains no relation or function."),
        (("public", "--write"), "The folder schema/public does not exist."),
        (("api", "--write", "--types", "python"), "`--write` and `--types` exclude each other."),
    ],
)
def test_invalid_requests(project: ProjectFolder, words: tuple[str, ...], message: str) -> None:
    result = project.run("interface", *words)

    assert result.status == 2
    assert message in result.out + result.err
