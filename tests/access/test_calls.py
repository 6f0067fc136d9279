"""Call cells: what functions return and change for each actor."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from aigym_db.access import function_files
from aigym_db.access.calls import call_outcomes
from aigym_db.access.findings import differing_calls
from aigym_db.access.matrix import read_matrix
from aigym_db.access.test_database import open_test_database
from aigym_db.errors import BadAccessMatrix
from aigym_db.project.config import find

ROOT = Path(__file__).parents[2]

DEFINER = "language plpgsql security definer set search_path = ''"
RENAME = f"""
    create function app.rename(colour text, label text) returns boolean {DEFINER} as $$
    begin
        update app.colours set label = rename.label where code = colour and not retired;
        return found;
    end $$;
    revoke execute on function app.rename from public;
    grant execute on function app.rename to mini_user;
"""
CELLS = """
[functions."app.rename".calls]
live    = ["'teal'", "'Sea'"]
missing = ["'none'", "label => 'Sea'"]
[functions."app.rename".access]
people    = ["true; app.colours ~1", "false"]
no_access = ["anonymous", "service"]
"""


@pytest.fixture
def calls(mini: Path, connection: psycopg.Connection) -> Iterator[Calls]:
    """The small project with a function `app.rename` that its users can execute."""
    connection.execute("update app.colours set retired = false where code = 'teal'")
    connection.execute(RENAME.encode())
    yield Calls(mini, connection)


class Calls:
    """The access matrix of a project that a test can change, and its database."""

    def __init__(self, root: Path, connection: psycopg.Connection) -> None:
        self.root = root
        self.connection = connection
        self.file = root / "policies/app.access.toml"
        self.tables = self.file.read_text()
        self.write(CELLS)

    def write(self, cells: str) -> None:
        """Replace the cells of `app.rename`."""
        self.file.write_text(self.tables + cells)

    def messages(self, *changes: str) -> list[str]:
        """Execute statements and all calls; return the messages of the findings."""
        for change in changes:
            self.connection.execute(change.encode())
        outcomes = call_outcomes(self.connection, read_matrix(self.root))
        return [finding.message for finding in differing_calls(outcomes)]

    def error(self) -> BadAccessMatrix:
        """Return the error that reading and executing the matrix raises."""
        with pytest.raises(BadAccessMatrix) as raised:
            self.messages()
        return raised.value


def test_calls_that_return_and_change_what_is_expected_match(calls: Calls) -> None:
    assert calls.messages() == []


def test_calls_are_rolled_back(calls: Calls) -> None:
    calls.messages()

    assert calls.connection.execute("select count(*) from app.colours where label = 'Sea'").fetchone() == (0,)


def test_a_change_that_is_not_expected_is_reported_with_call_and_actor(calls: Calls) -> None:
    calls.write(CELLS.replace("true; app.colours ~1", "true"))

    assert calls.messages()[0] == (
        "app.rename('teal', 'Sea'): member live: expected true, actual true; app.colours ~1."
    )


def test_a_change_by_a_trigger_counts(calls: Calls) -> None:
    messages = calls.messages(
        f"""create function app.log_colour() returns trigger {DEFINER} as $$
            begin
                insert into app.colours values ('t' || random(), 'by trigger');
                delete from app.colours where label = 'by trigger';
                return null;
            end $$""",
        "create trigger after_update after update on app.colours execute function app.log_colour()",
        "revoke execute on function app.log_colour from public",
    )

    assert any("member live" in message and "app.colours +1 ~1 -1" in message for message in messages)


def test_a_change_in_a_partition_counts_for_its_root(calls: Calls) -> None:
    messages = calls.messages(
        f"""create or replace function app.rename(colour text, label text) returns boolean {DEFINER} as $$
            begin
                insert into app.log (tenant_id, at, what)
                select id, '2026-05-05', 'x' from app.tenants limit 1;
                return true;
            end $$"""
    )

    assert any("member live" in message and "actual true; app.log +1." in message for message in messages)


def test_a_deferred_constraint_rejects_a_call(calls: Calls) -> None:
    messages = calls.messages(
        "alter table app.units add constraint later foreign key (tenant_id) references app.tenants "
        "deferrable initially deferred",
        "alter table app.units drop constraint units_tenant_id_fkey",
        f"""create or replace function app.rename(colour text, label text) returns boolean {DEFINER} as $$
            begin
                insert into app.units values (gen_random_uuid(), gen_random_uuid(), 'x');
                return true;
            end $$""",
    )

    assert any("member live" in message and "actual rejected 23503" in message for message in messages)


def test_a_permitted_call_that_should_be_rejected_is_reported(calls: Calls) -> None:
    calls.write(
        CELLS.replace('people    = ["true; app.colours ~1", "false"]', 'people = ["rejected", "false"]')
    )

    assert any("member live: expected rejected, actual 1 row; app.colours ~1" in m for m in calls.messages())


def test_an_error_with_another_sqlstate_is_reported(calls: Calls) -> None:
    messages = calls.messages(
        f"""create or replace function app.rename(colour text, label text) returns boolean {DEFINER} as $$
            begin
                raise exception 'closed' using errcode = '22023';
            end $$"""
    )
    calls.write(CELLS.replace('["true; app.colours ~1", "false"]', '"rejected 22023"'))

    assert any("actual rejected 22023 (closed)" in message for message in messages)
    assert calls.messages() == []


def test_a_grant_to_another_role_is_reported(calls: Calls) -> None:
    messages = calls.messages("grant execute on function app.rename to mini_anonymous")

    assert any("anonymous live: expected rejected, actual 1 row; app.colours ~1" in m for m in messages)


def test_a_revoked_grant_is_reported(calls: Calls) -> None:
    calls.connection.execute("revoke execute on function app.rename from mini_user")
    calls.connection.execute("grant execute on function app.rename to mini_service")

    assert any("member live" in m and "actual rejected 42501" in m for m in calls.messages())


def test_a_procedure_is_called(calls: Calls) -> None:
    calls.write(
        """
[functions."app.rename".calls]
all = ["'Sea'"]
[functions."app.rename".access]
people    = "void; app.colours ~1"
no_access = ["anonymous", "service"]
"""
    )

    assert (
        calls.messages(
            "drop function app.rename",
            f"create procedure app.rename(label text) {DEFINER} as $$ begin "
            "update app.colours set label = rename.label where code = 'teal'; end $$",
            "revoke execute on procedure app.rename from public",
            "grant execute on procedure app.rename to mini_user",
        )
        == []
    )


def test_a_callable_function_without_calls_is_an_error(calls: Calls) -> None:
    calls.write("")

    error = calls.error()

    assert error.message == "1 function has no calls: app.rename."
    assert error.place is not None
    assert error.place.file == "policies/app.access.toml"


WRAPPER = """create schema if not exists api;
grant usage on schema api to mini_user;
create function api.rename(label text, code text) returns text language sql {options} as 'select {call}';
revoke execute on function api.rename from public;
grant execute on function api.rename to mini_user;
"""


def test_a_function_that_only_passes_its_arguments_needs_no_calls(calls: Calls) -> None:
    calls.connection.execute(WRAPPER.format(options="", call="app.rename(label, code)").encode())

    assert calls.messages() == []


@pytest.mark.parametrize(
    ("options", "call"),
    [
        ("security definer", "app.rename(label, code)"),
        ("set row_security = off", "app.rename(label, code)"),
        ("", "app.rename(code, label)"),
        ("", "app.rename(label, upper(code))"),
        ("", "app.rename(label, code) from app.colours"),
        ("", "app.rename(label, code); select label"),
    ],
)
def test_a_function_that_does_more_needs_calls(calls: Calls, options: str, call: str) -> None:
    calls.connection.execute(WRAPPER.format(options=options, call=call).encode())

    assert calls.error().message == "1 function has no calls: api.rename."


def test_functions_of_one_name_need_their_signatures(calls: Calls) -> None:
    calls.connection.execute("create function app.rename(int) returns int language sql as 'select 1'")

    assert "no actor can execute" in calls.error().message
    calls.write(CELLS.replace("app.rename", "app.rename(text,text)"))
    assert calls.error().message == "1 function has no calls: app.rename(integer)."


def test_calls_of_a_function_that_no_actor_can_execute_are_an_error(calls: Calls) -> None:
    calls.connection.execute("drop function app.rename")

    assert calls.error().message == (
        "The access matrix contains calls of app.rename, but no actor can execute such a function."
    )


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('["anonymous", "service"]', '["anonymous"]', "no expected results for the actor `service`"),
        ('["true; app.colours ~1", "false"]', '["false"]', "must have a cell for each of the 2 calls"),
        ('["true; app.colours ~1", "false"]', '{ live = "true" }', "no cell for the call `missing`"),
        ('["true; app.colours ~1", "false"]', '{ live = "true", other = "1" }', "has no key `other`"),
        ("true; app.colours ~1", "true; colours ~1", "is not a valid cell"),
        ("true; app.colours ~1", "true; app.colours 1", "is not a valid cell"),
        ("true; app.colours ~1", "rejected 1", "is not a valid cell"),
        ("people    =", "crowd =", "The actor or group `crowd` does not exist"),
        ("people    =", 'everyone = "1 row"\npeople =', "The actor or group `everyone` does not exist"),
        ("live    =", "rest =", "`rest` cannot be the name of a call"),
        ("\"'teal'\"", '"{zoe}"', "`{zoe}` is not a name of actors.toml"),
        ("\"'teal'\"", '"no_column"', "PostgreSQL rejects the expression no_column"),
        ("false", "{me", "PostgreSQL rejects the expression {me"),
    ],
)
def test_a_wrong_cell_is_an_error_with_its_place(calls: Calls, old: str, new: str, message: str) -> None:
    assert old in CELLS
    calls.write(CELLS.replace(old, new))

    error = calls.error()

    assert message in error.message
    assert error.place is not None
    assert error.place.line > calls.tables.count("\n")


def test_the_row_of_an_actor_takes_precedence_over_the_row_of_its_group(calls: Calls) -> None:
    calls.write(CELLS + 'member = { live = "rejected", rest = "false" }\n')

    assert [message.split(": expected")[0].split(": ")[1] for message in calls.messages()] == ["member live"]


CHAINED = """
[functions."app.rename".calls]
chained = { before = "select code from app.colours where code = 'teal'", arguments = ["{result}", "'Sea'"] }
denied  = { before = "delete from app.colours", arguments = ["{result}", "'Sea'"] }
[functions."app.rename".access]
people    = ["true; app.colours ~1", "rejected"]
no_access = ["anonymous", "service"]
"""


def test_a_call_can_use_the_result_of_a_statement_before(calls: Calls) -> None:
    calls.write(CHAINED)

    assert calls.messages() == []


def test_a_result_without_a_statement_before_is_an_error(calls: Calls) -> None:
    calls.write(CELLS.replace("\"'teal'\"", '"{result}"'))

    assert "`{result}` is not a name of actors.toml" in calls.error().message


JOIN = f"""
    create or replace function app.rename(colour text, label text) returns boolean {DEFINER} as $$
    begin
        insert into app.memberships (tenant_id, user_id, level)
        select t.id, guard.me(), 'member' from app.tenants as t where t.name = 'Beta'
        on conflict do nothing;
        return true;
    end $$
"""


def test_what_the_caller_gains_is_reported(calls: Calls) -> None:
    """A member of Acme who joins Beta reads its units; the membership itself is a change and no gain."""
    message = next(message for message in calls.messages(JOIN) if "admin live" in message)

    assert "actual true; app.memberships +1; gains " in message
    gains = dict(item.rsplit(" ", 1) for item in message.split("gains ")[1].rstrip(".").split(", "))
    assert gains["guard.tenants(own)"] == "1"
    assert gains["app.units"] == "1"


def test_gains_that_are_listed_match(calls: Calls) -> None:
    gains = next(m for m in calls.messages(JOIN) if "admin live" in m).split("gains ")[1].rstrip(".")
    without_numbers = re.sub(r" \d+", "", gains)
    for listed, matches in ((gains, True), (without_numbers, True), (f"{gains}0", False)):
        cell = f"true; app.memberships +1; gains {listed}"
        calls.write(CELLS + f'admin = "{cell}"\n')

        assert any(": admin " in message for message in calls.messages()) is not matches


def test_rows_that_the_call_writes_are_no_gain(calls: Calls) -> None:
    messages = calls.messages(
        f"""create or replace function app.rename(colour text, label text) returns boolean {DEFINER} as $$
            begin
                insert into app.notes (id, user_id, body) values (gen_random_uuid(), guard.me(), 'new');
                return true;
            end $$"""
    )

    assert any("member live" in message and "actual true; app.notes +1." in message for message in messages)


def test_the_documentation_lists_the_keys_of_the_reader() -> None:
    section = (ROOT / "docs/access-matrix.md").read_text().split("## Functions")[1].split("| cell |")[0]
    keys = re.findall(r"^\| (`[^|]*`) \|", section, re.MULTILINE)

    documented = {key for cell in keys for key in re.findall(r"`(\w+)`", cell)}

    assert documented == set(function_files.KEYS)


def test_a_function_without_its_checks_is_reported_with_caller_and_changes() -> None:
    """Without the self-grant check and the permission, a member makes himself super admin."""
    project = find(ROOT)
    matrix = read_matrix(project.root)
    with open_test_database(project) as base, base.connection() as connection:
        (definition,) = connection.execute(
            "select pg_get_functiondef('iam.grant_role'::regproc)"
        ).fetchone() or ("",)
        without = re.sub(
            r"if (person = auth\.uid\(\)|authz\.may_on_platform.*?)( is not true)? then",
            r"if false then",
            definition,
        )
        assert without.count("if false then") == 2
        connection.execute(without.encode())

        outcomes = call_outcomes(connection, matrix, {"iam.grant_role"})

    messages = [finding.message for finding in differing_calls(outcomes)]
    message = next(message for message in messages if "enrolled_aal2 super_to_self" in message)
    assert message.startswith(
        "iam.grant_role('00000000-0000-4000-8000-00000000a015', 'super_admin'): enrolled_aal2 super_to_self: "
        "expected rejected, actual 1 row; audit.audit_log +1, audit.security_audit +1, iam.user_roles +1; "
    )
    for gain in ("authz.is_super_admin(own) 1", "authz.may_on_platform(elevate) 1", "iam.tenants "):
        assert gain in message


OUST = f"""
    create or replace function app.rename(colour text, label text) returns boolean {DEFINER} as $$
    begin
        update app.memberships set ended_at = now() where user_id = rename.colour::uuid and level = 'admin';
        return found;
    end $$
"""
CHAIN = """
[functions."app.rename".calls.oust]
arguments = ["{carol}", "''"]
before    = [{ as = "admin", sql = "update app.tenants set name = 'of ' || {me}" }]
[functions."app.rename".access]
people    = "rejected"
member    = "true; app.tenants ~1, app.memberships ~1; admin loses app.units, app.units~"
no_access = ["anonymous", "service"]
"""


def test_what_other_actors_of_a_chain_lose_is_reported(calls: Calls) -> None:
    calls.write(CHAIN)

    message = next(message for message in calls.messages(OUST) if ": member oust" in message)

    assert message.startswith("admin: update app.tenants set name = 'of ' || '00000000-0000-0000-0000-")
    reach = message.split("actual true; app.memberships ~1, app.tenants ~1; ")[1]
    assert reach.startswith(
        "loses app.memberships 1; admin gains app.memberships(held) 1; admin loses app.log 1, "
    )
    for loss in (
        "app.units 2",
        "app.units~ 2",
        "app.units- 2",
        "app.memberships(held) 1",
        "guard.governs(own) 1",
    ):
        assert loss in reach


def test_losses_that_are_listed_match(calls: Calls) -> None:
    calls.write(CHAIN)
    reach = next(m for m in calls.messages(OUST) if ": member oust" in m).split("app.tenants ~1; ")[1]

    calls.write(CHAIN.replace("admin loses app.units, app.units~", reach.rstrip(".")))

    assert [message for message in calls.messages() if ": member oust" in message] == []


def test_a_row_of_the_actor_that_helpers_read_is_a_gain(calls: Calls) -> None:
    """A second membership of Acme gives no further access, but it is a membership."""
    messages = calls.messages(
        f"""create or replace function app.rename(colour text, label text) returns boolean {DEFINER} as $$
            begin
                update app.memberships set level = 'admin' where user_id = guard.me() and ended_at is null;
                return true;
            end $$""",
        "revoke select on app.log from mini_user",
    )

    message = next(message for message in messages if "member live" in message)
    assert message.endswith("actual true; app.memberships ~1; gains app.memberships(held) 1.")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('as = "admin"', 'as = "zoe"', "The actor `zoe` does not exist"),
        ('as = "admin"', 'by = "admin"', "has no key `by`"),
        ("admin loses", "zoe loses", "is not a valid cell"),
        ("admin loses", "admin drops", "is not a valid cell"),
        ("admin loses app.units, app.units~", "admin loses app.units, app.units", "is not a valid cell"),
        ("{me}", "{result}", "`{result}` is not a name"),
    ],
)
def test_an_invalid_chain_is_an_error(calls: Calls, old: str, new: str, message: str) -> None:
    assert old in CHAIN
    calls.write(CHAIN.replace(old, new))

    assert message in calls.error().message
