"""The recorded interface of a schema: printed, written, compared, and as types of clients."""

from __future__ import annotations

from pathlib import Path

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
