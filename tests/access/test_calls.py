"""Call cells: what functions return and change for each actor."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from aigym_db.access import function_files
from aigym_db.access.calls import call_outcomes
from aigym_db.access.findings import differing_calls
from aigym_db.access.matrix import read_matrix
from aigym_db.access.test_database import open_test_database
from aigym_db.project.config import find
from tests.access.calls import CELLS, DEFINER, Calls, call_messages

ROOT = Path(__file__).parents[2]


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


def test_actors_with_the_same_result_are_in_one_finding(calls: Calls) -> None:
    calls.write(CELLS.replace("true; app.colours ~1", "true") + 'admin = "1 row"\n')

    outcomes = call_outcomes(calls.connection, read_matrix(calls.root))
    same, *of_admin = [finding.message for finding in differing_calls(outcomes)]

    assert same == (
        "app.rename('teal', 'Sea'): member, comember, admin_aal1, outsider live: "
        "expected true, actual true; app.colours ~1."
    )
    assert of_admin == [
        "app.rename('teal', 'Sea'): admin live: expected 1 row, actual 1 row; app.colours ~1."
    ]


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


@pytest.mark.parametrize("state", ["AB001", "AG000", "AG001"])
def test_a_call_can_be_rejected_with_any_sqlstate(calls: Calls, state: str) -> None:
    calls.connection.execute(
        f"""create or replace function app.rename(colour text, label text) returns boolean {DEFINER} as $$
            begin
                raise exception 'closed' using errcode = '{state}';
            end $$""".encode()
    )

    assert any(
        f"member live: expected true; app.colours ~1, actual rejected {state} (closed)" in m
        for m in calls.messages()
    )
    calls.write(CELLS.replace('["true; app.colours ~1", "false"]', f'"rejected {state}"'))
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


def test_the_actual_result_of_a_call_that_returns_nothing_is_void(calls: Calls) -> None:
    calls.write(
        """
[functions."app.rename".calls]
all = ["'Sea'"]
[functions."app.rename".access]
people    = "void; app.colours ~2"
no_access = ["anonymous", "service"]
"""
    )

    messages = calls.messages(
        "drop function app.rename",
        f"create function app.rename(label text) returns void {DEFINER} as $$ begin "
        "update app.colours set label = rename.label where code = 'teal'; end $$",
        "revoke execute on function app.rename from public",
        "grant execute on function app.rename to mini_user",
    )

    assert any("expected void; app.colours ~2, actual void; app.colours ~1." in m for m in messages)


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


def test_the_place_of_a_cell_of_a_row_that_is_a_table_is_its_own_line(calls: Calls) -> None:
    calls.write(CELLS + '[functions."app.rename".access.member]\nlive = "false"\nrest = "true"\n')

    cells = read_matrix(calls.root).functions["app.rename"].cells
    lines = calls.file.read_text().splitlines()

    for call, text in (("live", 'live = "false"'), ("missing", 'rest = "true"')):
        place = cells["member", call].place
        assert place is not None
        assert lines[place.line - 1] == text


def test_the_row_of_an_actor_takes_precedence_over_the_row_of_its_group(calls: Calls) -> None:
    calls.write(CELLS + 'member = { live = "rejected", rest = "false" }\n')

    assert [message.split(": expected")[0].split(": ")[1] for message in calls.messages()] == ["member live"]


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

        messages = call_messages(connection, matrix, {"iam.grant_role"})

    message = next(message for message in messages if "enrolled_aal2 super_to_self" in message)
    assert message.startswith(
        "iam.grant_role('00000000-0000-4000-8000-00000000a015', 'super_admin'): enrolled_aal2 super_to_self: "
        "expected rejected, actual 1 row; audit.audit_log +1, audit.security_audit +1, iam.user_roles +1; "
    )
    for gain in ("authz.is_super_admin(own) 1", "authz.may_on_platform(elevate) 1", "iam.tenants "):
        assert gain in message
