"""Every kind of faulty policy is reported with table, actor, command and row."""

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


def test_matching_policies_produce_no_findings(messages: Messages) -> None:
    assert messages() == []


def test_a_dropped_policy_is_reported_for_the_actor_without_its_rows(messages: Messages) -> None:
    reported = messages("drop policy units_select on app.units")

    assert (
        f"app.units: member select: expected ours, actual without row {NORTH} (tenant_id = {ACME}), "
        "row 00000000-0000-0000-0000-000000000202 (tenant_id = 00000000-0000-0000-0000-0000000000a0)."
    ) in reported


def test_using_true_is_reported_for_the_actor_with_an_additional_row(messages: Messages) -> None:
    reported = messages("alter policy units_select on app.units using (true)")

    assert (
        f"app.units: member select: expected ours, actual also row {EAST} (tenant_id = {BETA})." in reported
    )


def test_with_check_true_is_reported_with_the_inserted_row_of_another_owner(messages: Messages) -> None:
    reported = messages("alter policy notes_insert on app.notes with check (true)")

    assert (
        f"app.notes: member insert: expected own, actual also row {HIS_NOTE} (user_id = {BOB})"
        in "\n".join(reported)
    )


def test_a_missing_condition_is_reported_with_the_row_it_excluded(messages: Messages) -> None:
    reported = messages("alter policy notes_select on app.notes using (user_id = (select guard.me()))")

    assert (
        f"app.notes: member select: expected own_live, actual also row {GONE_NOTE} (user_id = {ALICE})."
        in reported
    )


def test_disabled_row_level_security_is_reported(messages: Messages) -> None:
    reported = messages("alter table app.log disable row level security")

    assert any(
        message.startswith("app.log: member select: expected no rows, actual also row 1|2026-05-01")
        for message in reported
    )


def test_a_function_without_its_where_clause_is_reported_for_every_table_whose_policies_call_it(
    messages: Messages,
) -> None:
    reported = messages(
        "create or replace function guard.tenants() returns setof uuid language sql stable security definer "
        "set search_path = '' as $$ select m.tenant_id from app.memberships m $$"
    )

    assert {message.partition(":")[0] for message in reported} == {
        "app.memberships",
        "app.tenants",
        "app.unit_items",
        "app.units",
    }


def test_with_check_true_on_update_is_reported_as_a_reassignment_to_another_owner(messages: Messages) -> None:
    reported = messages("alter policy notes_update on app.notes with check (true)")

    assert any(
        message.startswith("app.notes: member reassign without WHERE: expected ")
        and f"to user_id = {BOB}" in message
        for message in reported
    )


def test_using_true_on_update_is_reported_as_a_reassignment_of_a_foreign_row(messages: Messages) -> None:
    reported = messages("alter policy units_update on app.units using (true)")

    assert any(
        message.startswith("app.units: admin reassign without WHERE: expected ")
        and f"{EAST} to tenant_id = {ACME}" in message
        for message in reported
    )


def test_a_delete_without_where_reaches_rows_that_the_actor_cannot_select(messages: Messages) -> None:
    reported = messages(f"alter policy units_delete on app.units using ({GOVERNED} or name = 'east')")

    assert (
        "app.units: admin delete without WHERE: expected governed, "
        f"actual also row {EAST} (tenant_id = {BETA})." in reported
    )
    assert not any("admin delete: " in message for message in reported)


def test_a_missing_privilege_is_distinguished_from_a_policy_that_rejects(messages: Messages) -> None:
    reported = messages(
        "revoke delete on app.units from mini_user",
        f"alter policy units_insert on app.units with check ({MY_UNITS} and false)",
    )

    assert any("admin delete" in message and "denied" in message for message in reported)
    assert any("admin insert" in message and "rejected by a policy" in message for message in reported)


def test_an_error_in_a_policy_is_reported_with_its_sqlstate(messages: Messages) -> None:
    reported = messages("alter policy units_select on app.units using (exists (select from app.units))")

    assert (
        'app.units: member select: infinite recursion detected in policy for relation "units" '
        "(SQLSTATE 42P17)."
    ) in reported


def test_a_truncate_privilege_is_reported(messages: Messages) -> None:
    reported = messages("grant truncate on app.notes to mini_user")

    assert reported == [
        "app.notes: mini_user has been granted TRUNCATE, to which row-level security does not apply."
    ]


def test_an_accessible_partition_is_reported_with_its_parent(messages: Messages) -> None:
    reported = messages(
        "grant usage on schema parts to mini_user", "grant select on parts.log_2026 to mini_user"
    )

    assert reported == [
        "parts.log_2026: mini_user can address this partition directly, bypassing the policies of app.log."
    ]


def test_a_table_without_rows_is_reported(messages: Messages) -> None:
    reported = messages("truncate app.unit_items")

    assert reported == ["app.unit_items has no rows in the test fixture, so its cells prove nothing."]


def test_a_row_inserted_with_a_default_owner_counts_only_for_that_owner(messages: Messages) -> None:
    reported = messages(
        "alter table app.notes alter user_id set default guard.me()",
        "revoke insert on app.notes from mini_user",
        "grant insert (id, body) on app.notes to mini_user",
    )

    assert not any(" insert: " in message for message in reported)


def test_a_constraint_that_rejects_a_row_with_a_default_owner_does_not_count_for_another_owner(
    messages: Messages,
) -> None:
    reported = messages(
        "alter table app.notes alter user_id set default guard.me()",
        "revoke insert on app.notes from mini_user",
        "grant insert (id, body) on app.notes to mini_user",
        "alter table app.notes add constraint long check (length(body) > 1000) not valid",
    )

    assert not any(" insert: " in message for message in reported)


def test_rows_and_session_settings_are_unchanged_afterwards(
    connection: psycopg.Connection, messages: Messages
) -> None:
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
        ("app.units", "admin", "update", {"without where", "with where"}),
        ("app.units", "member", "update", {"without where"}),
        ("app.units", "member", "insert", {"insert"}),
        ("app.units", "member", "select", {"select"}),
    ],
)
def test_writes_are_executed_with_and_without_where(
    connection: psycopg.Connection, mini: Path, table: str, actor: str, command: str, ways: set[str]
) -> None:
    outcomes = trial(connection, read_matrix(mini)).outcomes()

    (tested,) = [
        outcome
        for outcome in outcomes
        if (outcome.cell.table, outcome.cell.actor, outcome.cell.command) == (table, actor, command)
    ]
    assert {attempt.way for attempt in tested.attempts} == ways


def test_a_column_with_a_check_constraint_is_updated_without_where(
    connection: psycopg.Connection, mini: Path
) -> None:
    connection.execute("alter table app.tenants add check (length(name) <= 100)")
    connection.execute("drop policy tenants_select on app.tenants")
    connection.execute("create policy tenants_select on app.tenants for select to mini_user using (false)")

    outcomes = trial(connection, read_matrix(mini)).outcomes()

    (tested,) = [outcome for outcome in outcomes if str(outcome.cell) == "app.tenants: admin update"]
    (attempt,) = [attempt for attempt in tested.attempts if attempt.way == "without where"]
    assert attempt.actual == attempt.expected != frozenset()


def test_a_trigger_that_changes_foreign_rows_is_reported(messages: Messages) -> None:
    reported = messages(
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

    assert f"app.units: admin update without WHERE: expected governed, actual also row {EAST}." in reported


def test_a_trigger_function_without_a_required_privilege_is_reported(messages: Messages) -> None:
    reported = messages(
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

    assert ("app.units: admin update: with triggers, permission denied for table log.") in reported
    assert not any(message.startswith("app.units: member") for message in reported)
