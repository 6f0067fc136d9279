"""Rows changed by triggers and foreign keys are reported; only statements that may differ are repeated."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import psycopg
import pytest

from aigym_db.access.attempts import AttemptStatement
from aigym_db.access.matrix import read_matrix
from aigym_db.access.outcomes import AttemptResult
from aigym_db.access.tables import FiringCommands, Table
from aigym_db.access.trial import trial
from aigym_db.access.trigger_differences import may_differ
from aigym_db.model.access import Cell, Command
from tests.access.conftest import MINI

Messages = Callable[..., list[str]]
NORTH = "00000000-0000-0000-0000-000000000201"

ROW_AFTER = FiringCommands(any=frozenset({"insert", "update"}))
ROW_BEFORE = replace(ROW_AFTER, before=frozenset({"insert", "update"}))
STATEMENT_AFTER = replace(ROW_AFTER, per_statement=frozenset({"insert", "update"}))


def result(command: Command, *, affected: int | None = None, state: str | None = None) -> AttemptResult:
    cell = Cell("app.units", "admin", command, ())
    return AttemptResult(AttemptStatement(cell, "without where", (), ""), frozenset(), affected, state, "")


def table(triggers: FiringCommands, *, partitioned: bool = False) -> Table:
    return Table("app.units", "app.units", "units", True, partitioned, ("id",), {}, {}, triggers)


@pytest.mark.parametrize(
    ("triggers", "failed", "no_rows", "rows"),
    [
        (FiringCommands(), False, False, False),
        (ROW_AFTER, False, False, True),
        (ROW_BEFORE, True, False, True),
        (STATEMENT_AFTER, False, True, True),
    ],
)
@pytest.mark.parametrize("command", ["update", "reassign"])
def test_a_statement_is_repeated_if_it_fires_a_trigger(
    triggers: FiringCommands, failed: bool, no_rows: bool, rows: bool, command: Command
) -> None:
    assert may_differ(result(command, state="42501"), table(triggers)) is failed
    assert may_differ(result(command, affected=0), table(triggers)) is no_rows
    assert may_differ(result(command, affected=2), table(triggers)) is rows


def test_an_update_of_a_partitioned_table_may_fire_the_triggers_of_other_commands() -> None:
    inserting = FiringCommands(any=frozenset({"insert"}))

    assert may_differ(result("update", affected=1), table(inserting, partitioned=True))
    assert not may_differ(result("update", affected=1), table(inserting))
    assert not may_differ(result("delete", affected=1), table(inserting, partitioned=True))


def test_a_select_is_not_repeated() -> None:
    assert not may_differ(result("select"), table(ROW_BEFORE))


def test_the_number_of_affected_rows_is_counted_without_triggers(connection: psycopg.Connection) -> None:
    results = trial(connection, read_matrix(MINI)).run()

    assert {item.affected is None for item in results if item.state is not None} == {True}
    assert {item.affected for item in results if item.statement.cell.command == "select"} == {None}
    assert {item.affected for item in results if item.actual and item.statement.way == "with where"} > {1}


def test_a_before_trigger_that_makes_a_rejected_row_acceptable_is_reported(messages: Messages) -> None:
    reported = messages(
        """
        create function guard.adopt() returns trigger language plpgsql set search_path = '' as $$
        begin
            new.user_id := guard.me();
            return new;
        end
        $$
        """,
        "create trigger adopt before insert on app.notes for each row execute function guard.adopt()",
    )

    assert any(
        message.startswith("app.notes: member insert: expected own, actual also") for message in reported
    )


def test_a_statement_trigger_that_changes_rows_is_reported_for_an_actor_that_reaches_none(
    messages: Messages,
) -> None:
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
        create trigger spill before update on app.units for each statement
        when (pg_trigger_depth() = 0) execute function guard.spill()
        """,
    )

    assert any(message.startswith("app.units: admin update") for message in reported)


def test_a_deferred_trigger_that_changes_rows_is_reported(messages: Messages) -> None:
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
        """
        create constraint trigger spill after update on app.units deferrable initially deferred
        for each row when (old.name <> 'east') execute function guard.spill()
        """,
    )

    assert any(
        message.startswith("app.units: admin update") and "actual also row" in message for message in reported
    )


def test_a_deferred_foreign_key_is_no_difference(messages: Messages) -> None:
    assert (
        messages(
            "alter table app.unit_items alter constraint unit_items_unit_id_fkey "
            "deferrable initially deferred"
        )
        == []
    )


def test_a_cascade_within_the_table_is_reported(messages: Messages) -> None:
    reported = messages(
        "alter table app.unit_items drop constraint unit_items_unit_id_fkey",
        "alter table app.units add parent_id uuid references app.units on delete cascade",
        f"update app.units set parent_id = '{NORTH}' where name = 'east'",
    )

    assert any(
        message.startswith("app.units: admin delete") and "actual also row" in message for message in reported
    )
