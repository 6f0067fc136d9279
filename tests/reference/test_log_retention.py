"""The logs of the reference database are kept for their minimum time, and seals show changed rows."""

from __future__ import annotations

import json

import psycopg
import pytest

from aigym_db.access.matrix import read_matrix
from aigym_db.access.test_database import connect_as
from aigym_db.project.cards import cards
from tests.reference.conftest import PROJECT, ReferenceDatabase, security_events

MINIMUM_DAYS = 6 * 365
"""The logs of row changes and security events are evidence for six years."""


def test_retention_below_the_minimum_of_the_logs_is_rejected(base: ReferenceDatabase) -> None:
    actors = read_matrix(PROJECT.root).actors
    with base.database() as dsn:
        with connect_as(dsn, actors["super_admin"]) as session:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                session.execute(
                    "update ops.partition_strategies set retention = '1 day' where schema_name = 'audit'"
                )
            with pytest.raises(psycopg.errors.CheckViolation):
                session.execute("select ops.set_retention('audit.security_audit', '12 months')")
            session.execute("select ops.set_retention('audit.security_audit', '14 months')")
        with (
            connect_as(dsn, actors["service_role"]) as session,
            pytest.raises(psycopg.errors.InsufficientPrivilege),
        ):
            session.execute(
                "update ops.partition_strategies set retention = '1 day' where schema_name = 'audit'"
            )


@pytest.mark.parametrize(
    "change",
    ["retention = '1 day'", "retention = '-10000 months 301000 days'", "archive_before_drop = false"],
)
def test_no_role_shortens_the_life_of_a_log(connection: psycopg.Connection, change: str) -> None:
    with pytest.raises(psycopg.errors.CheckViolation, match="partition_strategies_logs_check"):
        connection.execute(f"update ops.partition_strategies set {change} where table_name = 'audit_log'")


def test_the_cards_of_the_logs_keep_them_for_the_legal_minimum() -> None:
    kept = {name: int(cards(PROJECT)[name].retention) for name in ("audit.audit_log", "audit.security_audit")}

    assert min(kept.values()) >= MINIMUM_DAYS


def test_a_change_of_retention_is_a_security_event(connection: psycopg.Connection) -> None:
    actor = read_matrix(PROJECT.root).actors["super_admin"]
    with connection.transaction(force_rollback=True):
        connection.execute("select set_config('request.jwt.claims', %s, true)", [json.dumps(actor.claims)])
        connection.execute("set local role authenticated")
        connection.execute("select ops.set_retention('ai.conversation_messages', '12 months')")
        connection.execute("reset role")

        assert security_events(connection) == ["retention.changed"]


def test_a_seal_shows_that_a_row_was_changed(connection: psycopg.Connection) -> None:
    with connection.transaction(force_rollback=True):
        # The partition of two hours ago, which on the first day of a month may be another.
        connection.execute(
            "select ops.ensure_partitions("
            "'audit.security_audit', 'month', since => now() - interval '2 hours')"
        )
        connection.execute("set local session_replication_role = replica")
        connection.execute("delete from audit.seals")
        connection.execute("update audit.security_audit set occurred_at = now() - interval '2 hours'")
        for end in ("90 minutes", "61 minutes"):
            connection.execute("select audit.seal_window('security_audit', now() - %s::interval)", [end])
        intact = connection.execute("select count(*) from audit.broken_seals()").fetchone()
        connection.execute(
            "update audit.security_audit set outcome = 'success' "
            "where id = (select id from audit.security_audit where outcome = 'failure' limit 1)"
        )
        changed = connection.execute("select count(*) from audit.broken_seals()").fetchone()
        connection.execute("delete from audit.seals where id = (select min(id) from audit.seals)")
        removed = connection.execute("select count(*) from audit.broken_seals()").fetchone()

    assert (intact, changed, removed) == ((0,), (1,), (1,))


def test_a_window_that_has_not_closed_is_not_sealed(connection: psycopg.Connection) -> None:
    with pytest.raises(psycopg.errors.InvalidParameterValue, match="must have ended"):
        connection.execute("select audit.seal_window('audit_log', now())")
