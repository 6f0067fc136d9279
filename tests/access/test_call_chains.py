"""Statements before a call, and what the actors of a chain of statements gain and lose."""

from __future__ import annotations

import re

import psycopg
import pytest

from aigym_db.access.actor_transaction import actor_transaction
from aigym_db.access.matrix import read_matrix
from tests.access.calls import CELLS, DEFINER, Calls
from tests.access.conftest import MINI

CHAINED = """
[functions."app.rename".calls]
chained = { before = "select code from app.colours where code = 'teal'", arguments = ["{result}", "'Sea'"] }
denied  = { before = "delete from app.colours", arguments = ["{result}", "'Sea'"] }
[functions."app.rename".access]
people    = ["true; app.colours ~1", "before rejected"]
no_access = ["anonymous", "service"]
"""


def test_a_call_can_use_the_result_of_a_statement_before(calls: Calls) -> None:
    calls.write(CHAINED)

    assert calls.messages() == []


@pytest.mark.parametrize(
    ("before", "cell", "matches"),
    [
        ("delete from app.colours", "rejected", False),
        ("delete from app.colours", "before rejected", True),
        ("delete from app.colours", "before rejected 42883", False),
        ("select nosuch()", "rejected 42883", False),
        ("select nosuch()", "before rejected 42883", True),
        ("select 1", "before rejected", False),
    ],
)
def test_a_rejected_statement_before_is_no_rejection_of_the_call(
    calls: Calls, before: str, cell: str, matches: bool
) -> None:
    calls.write(
        CHAINED.replace("delete from app.colours", before).replace('"before rejected"]', f'"{cell}"]')
    )

    assert (not calls.messages()) is matches


def test_the_rejected_statement_before_is_named(calls: Calls) -> None:
    calls.write(
        CHAINED.replace('"delete from app.colours"', '["select 1", "delete from app.colours"]').replace(
            '"before rejected"]', '"rejected"]'
        )
    )

    (message, *_) = calls.messages()
    assert "expected rejected, actual before rejected 42501 (statement 2 of 2: permission denied" in message


DEFERRABLE = """
    alter table app.units drop constraint units_tenant_id_fkey;
    alter table app.units add constraint later foreign key (tenant_id) references app.tenants
        deferrable initially {initially};
    alter table app.log add constraint always check (at is not null);
    alter table app.notes add constraint always unique (body) deferrable initially immediate;
    alter table app.colours add constraint at_last unique (label) deferrable initially deferred
"""
UNIT = "insert into app.units values (gen_random_uuid(), gen_random_uuid(), 'x')"


def test_a_deferred_constraint_rejects_the_statement_before_that_violates_it(calls: Calls) -> None:
    steps = f"""[{{ as = "service", sql = "{UNIT}" }}, "select 'none'"]"""
    calls.write(CHAINED.replace('"delete from app.colours"', steps).replace('"before rejected"]', '"false"]'))

    message, *_ = calls.messages(DEFERRABLE.format(initially="deferred"))

    assert "expected false, actual before rejected 23503 (statement 1 of 2: insert or update" in message
    calls.write(CHAINED.replace('"delete from app.colours"', steps).replace('rejected"]', 'rejected 23503"]'))
    assert calls.messages() == []


@pytest.mark.parametrize(
    ("initially", "cell"),
    [("deferred", "true; app.tenants +1, app.units +1"), ("immediate", "rejected 23503")],
)
def test_constraints_are_deferred_after_a_statement_before_as_at_the_start_of_a_transaction(
    calls: Calls, initially: str, cell: str
) -> None:
    unit_before_tenant = f"""
        create or replace function app.rename(colour text, label text) returns boolean {DEFINER} as $$
        begin
            insert into app.units values (gen_random_uuid(), '00000000-0000-0000-0000-0000000000c0', 'x');
            insert into app.tenants values ('00000000-0000-0000-0000-0000000000c0', 'Club');
            return true;
        end $$
    """
    calls.write(CHAINED.replace('"true; app.colours ~1"', f'"{cell}"'))

    assert calls.messages(unit_before_tenant, DEFERRABLE.format(initially=initially)) == []


def test_constraints_are_deferred_again_after_a_statement_of_an_actor(
    connection: psycopg.Connection,
) -> None:
    connection.execute(DEFERRABLE.format(initially="deferred").encode())
    tenant = "insert into app.tenants values ('00000000-0000-0000-0000-0000000000a1', 'Club')"
    unit = "insert into app.units select gen_random_uuid(), '00000000-0000-0000-0000-0000000000a1', 'x'"

    with actor_transaction(connection, read_matrix(MINI)) as transaction:
        transaction.act("service", "select 1")
        transaction.act("service", f"{unit}; {tenant}")


def test_a_result_can_be_cast(calls: Calls) -> None:
    calls.write(CHAINED.replace('"{result}"', '"lower({result}::text)"'))

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


def test_what_the_caller_of_a_stable_function_gains_by_a_volatile_one_is_reported(calls: Calls) -> None:
    joined = JOIN.replace("app.rename", "app.join_beta")
    stable = f"""
        create or replace function app.rename(colour text, label text) returns boolean {DEFINER} stable as $$
        begin
            return app.join_beta(colour, label);
        end $$
    """
    closed = "revoke execute on function app.join_beta from public"

    message = next(message for message in calls.messages(joined, closed, stable) if "admin live" in message)

    assert "actual true; app.memberships +1; gains " in message


def test_what_a_role_without_policies_writes_before_a_call_is_no_gain_of_it(calls: Calls) -> None:
    """The call changes nothing; that the caller has joined Beta is no effect of it."""
    insert = "insert into app.memberships (tenant_id, user_id, level) values ({beta}, {carol}, 'member')"
    before = f'{{ before = [{{ as = "service", sql = "{insert}" }}], arguments = ["\'none\'", "\'\'"] }}'
    calls.write(f"""
[functions."app.rename".calls]
joined = {before}
[functions."app.rename".access]
people    = "false; app.memberships +1"
no_access = ["anonymous", "service"]
""")

    assert not any(": admin joined:" in message for message in calls.messages())


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


READ = f"""
    create or replace function app.rename(colour text, label text) returns boolean stable {DEFINER} as
    $$ begin return true; end $$
"""
JOINED = "insert into app.memberships (tenant_id, user_id, level) values ({acme}, {dora}, 'member')"
RENAMED = "update app.tenants set name = name || '.'"
READING = """
[functions."app.rename".calls.read]
arguments = ["''", "''"]
before    = [%s]
[functions."app.rename".access]
people    = "0 rows"
no_access = ["anonymous", "service"]
"""


@pytest.mark.parametrize(("writer", "compared"), [("service", False), ("admin", True)])
def test_what_roles_that_bypass_policies_write_is_no_gain_of_a_call_that_reads(
    calls: Calls, writer: str, compared: bool
) -> None:
    steps = [("service", JOINED), (writer, RENAMED)]
    calls.write(READING % ", ".join(f'{{ as = "{actor}", sql = "{sql}" }}' for actor, sql in steps))

    messages = [message for message in calls.messages(READ) if "actual 1 row; " in message]

    assert messages
    assert any(" gains " in message for message in messages) is compared


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
        ("admin loses", "zoe loses", "The actor `zoe` does not exist"),
        ("loses app.units,", "loses app.unit,", "does not contain the table or call app.unit."),
        ("admin loses", "admin drops", "is not a valid cell"),
        ("admin loses app.units, app.units~", "admin loses app.units, app.units", "is not a valid cell"),
        ("{me}", "{result}", "`{result}` is not a name"),
    ],
)
def test_an_invalid_chain_is_an_error(calls: Calls, old: str, new: str, message: str) -> None:
    assert old in CHAIN
    calls.write(CHAIN.replace(old, new))

    assert message in calls.error().message
