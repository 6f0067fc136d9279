"""The key of a row of the access matrix changes if and only if its result may have changed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from aigym_db.access.equivalents import read_equivalents
from aigym_db.access.keys import cell_keys
from aigym_db.access.matrix import AccessMatrix, read_matrix
from aigym_db.access.mutants import mutate
from aigym_db.access.mutations import read_access_rules
from aigym_db.access.row_digests import CREATE_LOADS, RECORD_LOAD
from aigym_db.access.trial import trial
from tests.access.conftest import MINI
from tests.access.test_matrix import edit

Name = tuple[str, ...]
Keys = Callable[..., dict[Name, str | None]]
TENANTED = {"app.tenants", "app.memberships", "app.units", "app.unit_items"}
ALL = {*TENANTED, "app.notes", "app.colours", "app.log"}
BODY = "language plpgsql set search_path = '' as"


@pytest.fixture
def keys(connection: psycopg.Connection) -> Keys:
    """Return a function that returns the keys of all cells of tables, and of those of some functions."""
    connection.execute(CREATE_LOADS.encode())

    def read(matrix: AccessMatrix | None = None, *functions: str) -> dict[Name, str | None]:
        matrix = matrix or read_matrix(MINI)
        cells = cell_keys(connection, matrix, matrix.tables, functions)
        return {cell.name: cell.key for cell in cells}

    return read


def changed(before: dict[Name, str | None], after: dict[Name, str | None]) -> set[Name]:
    return {row for row, key in before.items() if key is None or after[row] != key}


def function(head: str, body: str, *, options: str = "") -> str:
    return f"create or replace function {head} {options} {BODY} $$ begin {body} end $$;"


TRIGGER = (
    function("guard.stamp() returns trigger", "return new;")
    + "create trigger stamp before insert on app.notes for each row execute function guard.stamp();"
)
CHILD = (
    "create table parts.child (unit uuid references app.units on delete cascade);"
    + function("guard.gone() returns trigger", "return old;")
    + "create trigger gone before delete on parts.child for each row execute function guard.gone();"
)
DOMAIN = "create domain app.short as text check (length(value) < 9)"
OPERATOR = """
    create function guard.same(text, text) returns boolean language sql as 'select true';
    create operator guard.=== (leftarg = text, rightarg = text, function = guard.same);
    create policy same on app.colours as restrictive using (code operator(guard.===) label);
"""
BY_NAME = """
    create function guard.count_rows() returns bigint language plpgsql stable as $$
    declare
        number bigint;
    begin
        execute format('select count(*) from %s', 'app.' || 'log') into number;
        return number;
    end
    $$;
    create policy counted on app.colours as restrictive using (guard.count_rows() >= 0);
"""
UNQUALIFIED = """
    create function guard.size() returns bigint language plpgsql stable security definer set search_path = app
    as $$ begin return (select count(*) from notes); end $$;
    create policy counted on app.colours as restrictive using (guard.size() >= 0);
"""
INTERNAL = """
    create function guard.always() returns int language internal stable as 'pg_backend_pid';
    create policy always on app.colours as restrictive using (guard.always() > 0);
"""
VIEW = """
    create view app.shades as select label from app.colours;
    create policy shaded on app.notes as restrictive using (body in (select label from app.shades));
"""
NOTE = "insert into app.notes (id, user_id, body) values (gen_random_uuid(), gen_random_uuid(), 'new')"
COLOUR = "insert into app.colours values ('new', 'new')"
NOTES, COLOURS, LOG, BOTH = {"app.notes"}, {"app.colours"}, {"app.log"}, {"app.notes", "app.colours"}

CASES: dict[str, tuple[str, str, set[str]]] = {
    "policy": ("", "alter policy notes_insert on app.notes with check (true)", NOTES),
    "new policy": ("", "create policy log_all on app.log using (true)", LOG),
    "policy of a table that another policy reads": (
        "",
        "alter policy units_select on app.units using (true)",
        {"app.units", "app.unit_items"},
    ),
    "helper": ("", "alter function guard.tenants() cost 7", TENANTED),
    "helper of helpers": ("", "alter function guard.me() cost 7", ALL - COLOURS),
    "grant on a helper": ("", "grant execute on function guard.me() to mini_guard", ALL - COLOURS),
    "owner of a helper": ("", "alter function guard.tenants() owner to postgres", TENANTED),
    "search_path": ("", "alter function guard.governs() set search_path = app", ALL - BOTH),
    "row": ("", COLOUR, COLOURS),
    "row that helpers read": ("", "delete from app.memberships where level = 'member'", TENANTED | LOG),
    "trigger function": (TRIGGER, function("guard.stamp() returns trigger", "return null;"), NOTES),
    "trigger": (TRIGGER, "alter table app.notes disable trigger stamp", NOTES),
    "trigger of a cascade": (
        CHILD,
        function("guard.gone() returns trigger", "raise 'kept';"),
        {"app.units"},
    ),
    "default": ("", "alter table app.notes alter body set default 'x'", NOTES),
    "check": ("", "alter table app.notes add check (body <> '')", NOTES),
    "unique index": ("", "create unique index on app.notes (body)", NOTES),
    "grant": ("", "grant delete on app.colours to mini_user", COLOURS),
    "column grant": ("", "grant update (label) on app.colours to mini_user", COLOURS),
    "row security": ("", "alter table app.colours disable row level security", COLOURS),
    "forced row security": ("", "alter table app.colours force row level security", COLOURS),
    "owner": ("", "alter table app.notes owner to mini_guard", NOTES),
    "partition, which a foreign key reads": (
        "",
        "grant select on parts.log_2027 to mini_user",
        LOG | {"app.tenants"},
    ),
    "grant on a schema": ("", "revoke usage on schema guard from mini_user", ALL),
    "role membership": ("", "create role mini_new in role mini_guard", ALL),
    "role": ("create role mini_extra", "alter role mini_extra bypassrls", ALL),
    "type": ("", DOMAIN, ALL),
    "check of a type": (DOMAIN, "alter domain app.short add check (value <> '')", ALL),
    "function of an operator": (OPERATOR, "alter function guard.same(text, text) cost 7", ALL),
    "dynamic SQL": (BY_NAME, NOTE, BOTH),
    "function in another language": (INTERNAL, NOTE, BOTH),
    "unqualified name": (UNQUALIFIED, NOTE, BOTH),
    "another object of that name": (UNQUALIFIED, "create table parts.notes (id int)", COLOURS),
    "rows of a view": (VIEW, COLOUR, BOTH),
    "view": (VIEW, "alter view app.shades set (security_invoker)", NOTES),
    "comment": ("", "comment on table app.notes is 'private'", set()),
    "unrelated table": ("", "create table app.other (id int)", set()),
    "unrelated function": ("", function("guard.other() returns int", "return 1;"), set()),
}


@pytest.mark.parametrize(("setup", "change", "tables"), CASES.values(), ids=list(CASES))
def test_a_change_affects_the_rows_that_depend_on_it(
    keys: Keys, connection: psycopg.Connection, setup: str, change: str, tables: set[str]
) -> None:
    with connection.transaction(force_rollback=True):
        connection.execute(setup.encode())
        before = keys()
        connection.execute(change.encode())

        assert {name[0] for name in changed(before, keys())} == tables


def test_an_expectation_affects_its_row_alone(keys: Keys, mini: Path) -> None:
    before = keys()
    edit(mini, "app.access.toml", '"own",  "own",  "-",    "-"]', '"own",  "-",    "-",    "-"]')

    people = {"member", "comember", "admin", "admin_aal1", "outsider"}
    assert changed(before, keys(read_matrix(mini))) == {("app.notes", actor) for actor in people}


def test_an_actor_affects_its_rows(keys: Keys, mini: Path) -> None:
    before = keys()
    edit(mini, "actors.toml", 'claims  = { sub = "{bob}", aal = "aal2" }', 'claims  = { sub = "{bob}" }')

    assert changed(before, keys(read_matrix(mini))) == {(table, "comember") for table in ALL}


def test_a_target_of_reassignments_affects_all_rows_of_the_table(keys: Keys, mini: Path) -> None:
    before = keys()
    edit(mini, "actors.toml", 'me      = "{dora}"', 'me      = "{acme}"')

    others = {row for row in changed(before, keys(read_matrix(mini))) if row[1] != "outsider"}
    assert {name[0] for name in others} == {"app.notes", "app.memberships"}


def test_rows_loaded_at_another_time_have_the_same_keys(keys: Keys, connection: psycopg.Connection) -> None:
    def load(offset: str) -> dict[Name, str | None]:
        with connection.transaction(force_rollback=True):
            connection.execute(RECORD_LOAD.encode())
            connection.execute(f"update app.memberships set joined_at = now() + interval '{offset}'".encode())
            return keys()

    assert load("2 days") == load("2 days")
    assert changed(load("2 days"), load("1 day")) != set()


def test_a_database_that_the_catalog_does_not_describe_has_no_keys(
    keys: Keys, connection: psycopg.Connection
) -> None:
    with connection.transaction(force_rollback=True):
        connection.execute("create language other handler plpgsql_call_handler")

        assert set(keys().values()) == {None}


def test_every_mutant_that_a_cell_kills_changes_the_key_of_that_cell(
    keys: Keys, connection: psycopg.Connection, mini: Path
) -> None:
    tried = trial(connection, read_matrix(mini))
    mutations = read_access_rules(connection).mutations(tried)
    ddl = {mutation.mutant.id: mutation.mutant.ddl for mutation in mutations}
    killed = mutate(tried, read_equivalents(mini)).killed
    before = keys()

    assert len(killed) > 50
    for mutant, cell in killed.items():
        with connection.transaction(force_rollback=True):
            connection.execute(ddl[mutant].encode())
            table, actor = cell.split(": ")[0], cell.split()[1]
            assert (table, actor) in changed(before, keys()), mutant


SHARE = """
    create function app.share(code text) returns void language plpgsql security definer set search_path = ''
    as $$ begin update app.colours set label = share.code; end $$;
    create function app.shade(code text) returns text language sql stable set search_path = ''
    as $$ select label from app.colours as c where c.code = shade.code $$;
"""
CELLS = """
[functions."app.share".calls]
own = ["(select body from app.notes limit 1)"]
[functions."app.share".access]
people    = "void; app.colours ~1"
service   = "rejected"
anonymous = "rejected"
[functions."app.shade".calls]
teal = ["'teal'"]
[functions."app.shade".access]
people    = "null"
service   = "null"
anonymous = "null"
"""


@pytest.mark.parametrize(
    ("change", "calls"),
    [
        ("alter function app.shade(text) cost 7", {"shade", "share"}),
        ("alter function app.share(text) cost 7", {"share", "rejected share"}),
        (NOTE, {"share", "rejected share"}),
        (COLOUR, {"shade", "share", "rejected share"}),
        ("alter policy log_select on app.log using (true)", {"share"}),
        ("alter policy colours_select on app.colours using (true)", {"shade", "share"}),
        ("revoke execute on function app.shade(text) from public", {"shade", "share"}),
        ("comment on function app.shade(text) is 'x'", set()),
    ],
)
def test_a_call_that_changes_rows_depends_on_the_reach_of_its_actor(
    keys: Keys, connection: psycopg.Connection, mini: Path, change: str, calls: set[str]
) -> None:
    file = mini / "policies/app.access.toml"
    file.write_text(file.read_text() + CELLS)
    matrix = read_matrix(mini)
    with connection.transaction(force_rollback=True):
        connection.execute(SHARE.encode())
        before = keys(matrix, "app.share", "app.shade")
        connection.execute(change.encode())
        after = keys(matrix, "app.share", "app.shade")

    names = {name for name in changed(before, after) if len(name) == 3}
    assert {
        ("rejected " if name[2] in ("service", "anonymous") and "share" in name[0] else "") + name[0][4:]
        for name in names
    } == calls


def test_a_call_that_changes_rows_depends_on_the_other_calls(
    keys: Keys, connection: psycopg.Connection, mini: Path
) -> None:
    """They are part of the reach of its actor."""
    file = mini / "policies/app.access.toml"
    file.write_text(file.read_text() + CELLS)
    with connection.transaction(force_rollback=True):
        connection.execute(SHARE.encode())
        before = keys(read_matrix(mini), "app.share")
        file.write_text(file.read_text().replace("""teal = ["'teal'"]""", """teal = ["'red'"]"""))
        after = keys(read_matrix(mini), "app.share")

    callers = {name[2] for name in changed(before, after)}
    assert callers == {"admin", "admin_aal1", "member", "outsider", "comember"}


def test_generated_values_do_not_change_keys_but_their_source_does(
    connection: psycopg.Connection, mini: Path
) -> None:
    matrix, known = read_matrix(mini), "00000000-0000-4000-8000-0000000000ff"
    connection.execute(CREATE_LOADS.encode())

    def load(key: str, sources: str = "") -> str | None:
        with connection.transaction(force_rollback=True):
            # The text has a fixed length, because the table has a generated column with its length.
            connection.execute(
                "insert into app.notes (id, user_id, body, deleted_at) "
                f"values ({key}, {key}, to_char(clock_timestamp(), 'YYYY-MM-DD HH24:MI:SS.US'), "
                f"clock_timestamp())".encode()
            )
            (cell, *_) = cell_keys(connection, matrix, ["app.notes"], [], sources)
            return cell.key

    assert load("gen_random_uuid()") == load("gen_random_uuid()")
    assert load("gen_random_uuid()") != load("gen_random_uuid()", "other rows")
    assert load(f"'{known}'", known) != load("gen_random_uuid()", known)
