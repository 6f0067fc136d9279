"""Every way a policy can go wrong turns a cell red, and the sentence names table, actor, command and row."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from aigym_db.access.matrix import read_matrix
from aigym_db.access.trial import trial

Messages = Callable[..., list[str]]

NORTH, EAST = "00000000-0000-0000-0000-000000000201", "00000000-0000-0000-0000-000000000203"
HIS_NOTE, GONE_NOTE = "00000000-0000-0000-0000-000000000103", "00000000-0000-0000-0000-000000000102"
ACME, BETA = "00000000-0000-0000-0000-0000000000a0", "00000000-0000-0000-0000-0000000000b0"
ALICE, BOB = "00000000-0000-0000-0000-000000000001", "00000000-0000-0000-0000-000000000002"

MY_UNITS = "tenant_id = any (array(select guard.tenants()))"
GOVERNED = "tenant_id = any (array(select guard.governs()))"


def test_policies_that_do_what_the_answers_say_raise_no_complaint(messages: Messages) -> None:
    assert messages() == []


def test_a_dropped_policy_is_noticed_by_the_actor_who_loses_rows(messages: Messages) -> None:
    found = messages("drop policy units_select on app.units")

    assert (
        f"app.units: member select: expected ours, actual without row {NORTH} (tenant_id = {ACME}), "
        "row 00000000-0000-0000-0000-000000000202 (tenant_id = 00000000-0000-0000-0000-0000000000a0)."
    ) in found


def test_using_true_is_noticed_by_the_actor_who_gains_a_row(messages: Messages) -> None:
    found = messages("alter policy units_select on app.units using (true)")

    assert f"app.units: member select: expected ours, actual also row {EAST} (tenant_id = {BETA})." in found


def test_an_open_with_check_is_noticed_by_a_forged_row(messages: Messages) -> None:
    found = messages("alter policy notes_insert on app.notes with check (true)")

    assert (
        f"app.notes: member insert: expected own, actual also row {HIS_NOTE} (user_id = {BOB})"
        in "\n".join(found)
    )


def test_a_dropped_conjunct_is_noticed_by_the_row_it_kept_away(messages: Messages) -> None:
    found = messages("alter policy notes_select on app.notes using (user_id = (select guard.me()))")

    assert (
        f"app.notes: member select: expected own_live, actual also row {GONE_NOTE} (user_id = {ALICE})."
        in found
    )


def test_row_level_security_turned_off_is_noticed(messages: Messages) -> None:
    found = messages("alter table app.log disable row level security")

    assert any(
        message.startswith("app.log: member select: expected no rows, actual also row 1|2026-05-01")
        for message in found
    )


def test_a_function_that_lost_its_where_is_noticed_in_every_table_that_asks_it(messages: Messages) -> None:
    found = messages(
        "create or replace function guard.tenants() returns setof uuid language sql stable security definer "
        "set search_path = '' as $$ select m.tenant_id from app.memberships m $$"
    )

    assert {message.partition(":")[0] for message in found} == {
        "app.memberships",
        "app.tenants",
        "app.unit_items",
        "app.units",
    }


def test_an_open_with_check_lets_a_row_be_given_away_without_where(messages: Messages) -> None:
    found = messages("alter policy notes_update on app.notes with check (true)")

    assert any(
        message.startswith("app.notes: member reassign without WHERE: expected ")
        and f"to user_id = {BOB}" in message
        for message in found
    )


def test_rows_of_others_cannot_be_taken(messages: Messages) -> None:
    found = messages("alter policy units_update on app.units using (true)")

    assert any(
        message.startswith("app.units: admin reassign without WHERE: expected ")
        and f"{EAST} to tenant_id = {ACME}" in message
        for message in found
    )


def test_a_statement_without_where_reaches_what_a_sighted_one_cannot(messages: Messages) -> None:
    found = messages(f"alter policy units_delete on app.units using ({GOVERNED} or name = 'east')")

    assert (
        "app.units: admin delete without WHERE: expected governed, "
        f"actual also row {EAST} (tenant_id = {BETA})." in found
    )
    assert not any("admin delete: " in message for message in found)


def test_a_missing_grant_is_told_from_a_refusing_policy(messages: Messages) -> None:
    found = messages(
        "revoke delete on app.units from mini_user",
        f"alter policy units_insert on app.units with check ({MY_UNITS} and false)",
    )

    assert any("admin delete" in message and "denied" in message for message in found)
    assert any("admin insert" in message and "rejected by a policy" in message for message in found)


def test_an_error_inside_a_policy_is_a_failure_that_names_it(messages: Messages) -> None:
    found = messages("alter policy units_select on app.units using (exists (select from app.units))")

    assert (
        'app.units: member select: infinite recursion detected in policy for relation "units" '
        "(SQLSTATE 42P17)."
    ) in found


def test_truncate_is_past_every_policy(messages: Messages) -> None:
    found = messages("grant truncate on app.notes to mini_user")

    assert found == [
        "app.notes: mini_user has been granted TRUNCATE, to which row-level security does not apply."
    ]


def test_a_partition_that_can_be_addressed_is_named_with_its_parent(messages: Messages) -> None:
    found = messages(
        "grant usage on schema parts to mini_user", "grant select on parts.log_2026 to mini_user"
    )

    assert found == [
        "parts.log_2026: mini_user can address this partition directly, bypassing the policies of app.log."
    ]


def test_a_table_without_rows_proves_nothing(messages: Messages) -> None:
    found = messages("truncate app.unit_items")

    assert found == ["app.unit_items has no rows in the test fixture, so its cells prove nothing."]


def test_a_column_grant_is_enough_to_forge_a_row_of_one_s_own_only(messages: Messages) -> None:
    found = messages(
        "alter table app.notes alter user_id set default guard.me()",
        "revoke insert on app.notes from mini_user",
        "grant insert (id, body) on app.notes to mini_user",
    )

    assert not any(" insert: " in message for message in found)


def test_nothing_is_left_behind(connection: psycopg.Connection, messages: Messages) -> None:
    before = connection.execute("select count(*), max(xmin::text::bigint) from app.units").fetchone()

    messages()

    assert connection.execute("select count(*), max(xmin::text::bigint) from app.units").fetchone() == before
    assert connection.execute(
        "select current_user, current_setting('session_replication_role')"
    ).fetchone() == (
        "postgres",
        "origin",
    )


@pytest.mark.parametrize(
    ("table", "actor", "command", "ways"),
    [
        ("app.units", "admin", "update", {"blind", "sighted"}),
        ("app.units", "member", "update", {"blind"}),
        ("app.units", "member", "insert", {"forged"}),
        ("app.units", "member", "select", {"look"}),
    ],
)
def test_writes_are_tried_with_and_without_looking(
    connection: psycopg.Connection, mini: Path, table: str, actor: str, command: str, ways: set[str]
) -> None:
    outcomes = trial(connection, read_matrix(mini)).outcomes()

    (found,) = [
        outcome
        for outcome in outcomes
        if (outcome.cell.table, outcome.cell.actor, outcome.cell.command) == (table, actor, command)
    ]
    assert {attempt.way for attempt in found.attempts} == ways


def test_a_trigger_that_touches_rows_of_others_is_noticed(messages: Messages) -> None:
    found = messages(
        """
        create function guard.spill() returns trigger
        language plpgsql security definer set search_path = '' as $$
        begin
            update app.units set name = 'renamed' where name = 'east';
            return null;
        end
        $$
        """,
        "alter function guard.spill() owner to mini_service",
        """
        create trigger spill after update on app.units for each statement
        when (pg_trigger_depth() = 0) execute function guard.spill()
        """,
    )

    assert f"app.units: admin update without WHERE: expected governed, actual also row {EAST}." in found


def test_a_trigger_that_lacks_a_privilege_breaks_what_policies_allow(messages: Messages) -> None:
    found = messages(
        """
        create function guard.note() returns trigger language plpgsql set search_path = '' as $$
        begin
            insert into app.log (tenant_id, at, what) values (new.tenant_id, '2026-02-01', 'changed');
            return new;
        end
        $$
        """,
        "create trigger note before update on app.units for each row execute function guard.note()",
    )

    assert ("app.units: admin update: with triggers, permission denied for table log.") in found
    assert not any(message.startswith("app.units: member") for message in found)
