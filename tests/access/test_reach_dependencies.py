"""The parts of a reach that are read after a call: those that its changes can affect."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from aigym_db.access.matrix import read_matrix
from tests.access.calls import call_messages

DEFINER = "security definer set search_path = ''"
SHARES = f"""
    create schema share;
    create {{unlogged}} table share.links (name text);
    insert into share.links values ('own');
    grant usage on schema share to mini_user;
    create function share.seen() returns setof text language plpgsql stable {DEFINER} as $$
        begin return query {{read}}; end $$;
    create function share.open() returns void language sql {DEFINER} as
        $$ insert into share.links values ('of another') $$;
    revoke execute on all functions in schema share from public;
    grant execute on all functions in schema share to mini_user;
"""
STATIC = "select 'documents ' || name from share.links"
DYNAMIC = "execute 'select ''documents '' || name from share.' || 'links'"
CELLS = """
[functions."share.seen".calls]
all = []
[functions."share.open".calls]
one = []
[functions."share.seen".access]
people = "1 row"
no_access = ["anonymous", "service"]
[functions."share.open".access]
people = "void; share.links +1"
no_access = ["anonymous", "service"]
"""


def prepare(root: Path, connection: psycopg.Connection, sql: str) -> None:
    """Add a table that only functions read and write, and the cells of the functions."""
    connection.execute(sql.encode())
    file = root / "policies/app.access.toml"
    file.write_text(file.read_text() + CELLS)


def test_a_call_can_be_named_as_held_rows_are(mini: Path, connection: psycopg.Connection) -> None:
    prepare(mini, connection, SHARES.format(read=STATIC, unlogged=""))
    file = mini / "policies/app.access.toml"
    gained = '["app.notes".gains]\nadmin = { update = "share.seen(held)" }\n[functions."share.seen".calls]'
    file.write_text(
        file.read_text()
        .replace("all = []", "held = []")
        .replace("share.links +1", "share.links +1; gains share.seen(held) 1")
        .replace('[functions."share.seen".calls]', gained)
    )

    assert call_messages(connection, read_matrix(mini)) == []


@pytest.mark.parametrize(
    ("before", "after", "reach"),
    [
        ("null", "false", "gains share.state(all) 1; admin gains share.state(all) 1"),
        ("false", "null", "loses share.state(all) 1; admin loses share.state(all) 1"),
        ("false", "true", "gains share.state(all) 1; admin gains share.state(all) 1"),
        ("true", "false", "loses share.state(all) 1; admin loses share.state(all) 1"),
    ],
)
def test_false_is_a_value_of_its_own_unless_it_is_instead_of_true(
    mini: Path, connection: psycopg.Connection, before: str, after: str, reach: str
) -> None:
    prepare(mini, connection, SHARES.format(read=STATIC, unlogged=""))
    connection.execute(
        f"""revoke execute on function share.seen from mini_user;
        create function share.state() returns boolean language sql stable {DEFINER} as $$
            select case count(*) when 1 then {before} else {after} end from share.links $$;
        revoke execute on function share.state from public;
        grant execute on function share.state to mini_user""".encode()
    )
    file = mini / "policies/app.access.toml"
    file.write_text(
        file.read_text()
        .replace("share.seen", "share.state")
        .replace("one = []", 'one = { before = [{ as = "admin", sql = "select 1" }] }')
    )

    message = next(m for m in call_messages(connection, read_matrix(mini)) if ": member one:" in m)

    assert message.endswith(f"actual void; share.links +1; {reach}.")


def test_a_value_that_is_false_instead_of_null_can_open_rows(
    mini: Path, connection: psycopg.Connection
) -> None:
    prepare(mini, connection, SHARES.format(read=STATIC, unlogged=""))
    connection.execute(
        f"""create function guard.closed() returns boolean language sql stable {DEFINER} as $$
            select false from share.links as l where l.name = 'of another' $$;
        create policy opened on app.units for select to mini_user using (not (select guard.closed()));
        """.encode()
    )
    file = mini / "policies/app.access.toml"
    file.write_text(
        file.read_text()
        + '[functions."guard.closed".calls]\nown = []\n[functions."guard.closed".access]\n'
        + 'anonymous = "null"\npeople = "null"\nservice = "null"\n'
    )

    message = next(m for m in call_messages(connection, read_matrix(mini)) if ": member one:" in m)

    assert "app.units 1, guard.closed(own) 1" in message


@pytest.mark.parametrize("read", [STATIC, DYNAMIC])
@pytest.mark.parametrize("unlogged", ["", "unlogged"])
def test_what_an_inserted_row_opens_through_a_function_is_a_gain(
    mini: Path, connection: psycopg.Connection, read: str, unlogged: str
) -> None:
    prepare(mini, connection, SHARES.format(read=read, unlogged=unlogged))

    messages = call_messages(connection, read_matrix(mini))

    assert any(": member one" in message and "gains share.seen(all) 1" in message for message in messages)


def test_what_an_inserted_row_opens_through_a_policy_is_a_gain(
    mini: Path, connection: psycopg.Connection
) -> None:
    """The policy reads the table itself: no value of a function changes."""
    prepare(mini, connection, SHARES.format(read=STATIC, unlogged=""))
    connection.execute(
        """grant select on share.links to mini_user;
        create policy shared on app.units for select to mini_user
            using (exists (select from share.links as l where l.name = 'of another'))"""
    )

    messages = call_messages(connection, read_matrix(mini))

    assert any(
        ": outsider one" in message and "app.units " in message.split("gains")[1] for message in messages
    )


HELPERS = {
    "dynamic SQL with an argument of the row": (
        f"""create function guard.shared(unit uuid) returns boolean language plpgsql stable {DEFINER} as $$
            declare open boolean;
            begin
                execute 'select exists (select from share.' || 'links where name = ''of another'')'
                into open;
                return open;
            end $$;""",
        "guard.shared(id)",
    ),
    "a search_path and names without a schema": (
        """create function guard.shared(unit uuid) returns boolean language sql stable security definer
            set search_path = share as $$ select exists (select from links where name = 'of another') $$;""",
        "guard.shared(id)",
    ),
    "quoted names": (
        f"""create function guard.shared(unit uuid) returns boolean language sql stable {DEFINER} as
            $$ select exists (select from "share"."links" where name = 'of another') $$;""",
        "guard.shared(id)",
    ),
    "a view": (
        """create view share.linked as select name from share.links where name = 'of another';
        grant select on share.linked to mini_user;
        create function guard.shared(unit uuid) returns boolean language sql as $$ select true $$;""",
        "exists (select from share.linked)",
    ),
}
SHARED = """
[functions."guard.shared".calls]
none = ["null"]
[functions."guard.shared".access]
people = "{value}"
no_access = ["anonymous", "service"]
"""


@pytest.mark.parametrize("helper", HELPERS)
def test_what_an_inserted_row_opens_through_a_helper_is_a_gain(
    mini: Path, connection: psycopg.Connection, helper: str
) -> None:
    """However the policy reads the table, the rows of its table are read again."""
    prepare(mini, connection, SHARES.format(read=STATIC, unlogged=""))
    definition, condition = HELPERS[helper]
    connection.execute(
        f"""{definition}
        revoke execute on function guard.shared(uuid) from public;
        grant execute on function guard.shared(uuid) to mini_user;
        create policy shared on app.units for select to mini_user using ({condition})""".encode()
    )
    file = mini / "policies/app.access.toml"
    file.write_text(file.read_text() + SHARED.format(value="true" if "view" in helper else "false"))

    messages = call_messages(connection, read_matrix(mini))

    assert any(
        ": outsider one" in message and "app.units " in message.split("gains")[1] for message in messages
    )
