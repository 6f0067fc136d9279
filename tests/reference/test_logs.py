"""The logs of the reference database: what is recorded, and from which address."""

from __future__ import annotations

import json
import re
from uuid import UUID, uuid4

import psycopg
import pytest

from aigym_db.project.cards import cards
from tests.reference.conftest import PROJECT, security_events

A = "00000000-0000-4000-8000-00000000b001"
ADMIN = "00000000-0000-4000-8000-00000000a002"
ONE = "00000000-0000-4000-8000-00000000a003"
SESSION = "00000000-0000-4000-8000-00000000d001"
CODE = re.compile(r"'([a-z_]+\.[a-z_]+)'")
PREFIX = re.compile(r"'([a-z_]+\.)'\s*\|\|")
LOGGED = re.compile(r"audit\.log_(?:security|system)\s*\(\s*(?:'([a-z_]+\.[a-z_]+)')?")


def system_events(connection: psycopg.Connection) -> list[str]:
    """The codes of the system events of the current transaction, in order."""
    rows = connection.execute(
        """
        select t.code
        from audit.system_events as log
        join audit.event_types as t on t.id = log.event_type_id
        where log.occurred_at >= now()
        order by log.occurred_at
        """
    )
    return [code for (code,) in rows]


@pytest.mark.parametrize(
    ("header", "proxies", "address"),
    [
        ("203.0.113.7", None, "203.0.113.7"),
        ("6.6.6.6, 203.0.113.7", None, "203.0.113.7"),
        ("6.6.6.6, 9.9.9.9, 203.0.113.7, 10.0.0.1", "2", "203.0.113.7"),
        ("6.6.6.6", "2", None),
        ("6.6.6.6", "0", None),
        ("203.0.113.7", "many", "203.0.113.7"),
        ("6.6.6.6, forged", None, None),
        ("6.6.6.6,", None, None),
        ("2001:db8::7", "1", "2001:db8::7"),
    ],
)
def test_the_address_is_the_one_the_outermost_trusted_proxy_has_seen(
    connection: psycopg.Connection, header: str, proxies: str | None, address: str | None
) -> None:
    with connection.transaction(force_rollback=True):
        connection.execute(
            "select set_config('request.headers', %s, true), set_config('aigym.trusted_proxies', %s, true)",
            [json.dumps({"x-forwarded-for": header}), proxies or ""],
        )
        row = connection.execute(
            "select ip_address is not distinct from coalesce(%s::inet, inet_client_addr()) "
            "from audit.caller()",
            [address],
        ).fetchone()

    assert row == (True,)


def test_a_forged_header_is_not_stored(connection: psycopg.Connection) -> None:
    with connection.transaction(force_rollback=True):
        connection.execute(
            "select set_config('request.headers', %s, true)",
            [json.dumps({"x-forwarded-for": "6.6.6.6, 203.0.113.7", "user-agent": "x" * 900})],
        )
        connection.execute("select audit.log_security('role.granted', 'grant_role', risk => 'high')")
        row = connection.execute(
            "select host(ip_address), length(user_agent) from audit.security_audit where occurred_at >= now()"
        ).fetchone()

    assert row == ("203.0.113.7", 500)


def sign_in(connection: psycopg.Connection, person: str, session: UUID) -> None:
    """Act as a person with a second factor until the end of the transaction."""
    claims = {"sub": person, "role": "authenticated", "aal": "aal2", "session_id": str(session)}
    connection.execute("select set_config('request.jwt.claims', %s, true)", [json.dumps(claims)])


def test_a_person_does_not_read_the_session_and_the_reason_of_another_person(
    connection: psycopg.Connection,
) -> None:
    """One event is caused by the member, one by the admin of the tenant, and one names no caller."""
    session = uuid4()
    events = (
        "select action, host(ip_address), user_agent, session_id, request_id is null, aal, "
        "details -> 'reason', details from audit.security_events({}) "
        "where event in ('membership.suspended', 'login.ended')"
    )
    headers = {"x-forwarded-for": "203.0.113.7", "user-agent": "A browser", "x-request-id": str(uuid4())}
    with connection.transaction(force_rollback=True):
        connection.execute("select set_config('request.headers', %s, true)", [json.dumps(headers)])
        sign_in(connection, ONE, session)
        connection.execute(
            "select audit.log_security('login.ended', 'sign_out', details => %s)",
            [json.dumps({"reason": "own"})],
        )
        connection.execute(
            "insert into audit.security_audit (event_type_id, user_id, action, aal, ip_address, user_agent, "
            "session_id, request_id, details) select event_type_id, user_id, 'earlier', aal, ip_address, "
            "user_agent, session_id, request_id, details - 'caller' from audit.security_audit "
            "where user_id = %s and session_id = %s",
            [ONE, session],
        )
        sign_in(connection, ADMIN, session)
        connection.execute("set local role authenticated")
        connection.execute(
            "select iam.set_membership_status(%s, %s, 'suspended', 'a private note')", [A, ONE]
        )
        of_admin = connection.execute(events.format("%s"), [A]).fetchone()
        sign_in(connection, ONE, session)
        of_member = connection.execute(events.format("person => %s"), [ONE]).fetchall()

    assert of_admin is not None
    shown = ("203.0.113.0", "A browser", session, False, "aal2")
    assert of_admin[:-1] == ("set_membership_status", *shown, "a private note")
    suspended, own, unnamed = of_member
    for event, action in (suspended, "set_membership_status"), (unnamed, "earlier"):
        assert event[:-1] == (action, None, None, None, True, None, None)
        assert not {"caller", "reason"} & event[-1].keys()
    assert own[:-1] == ("sign_out", *shown, "own")


def test_every_event_type_has_a_producer_and_every_producer_an_event_type(
    connection: psycopg.Connection,
) -> None:
    codes = {code for (code,) in connection.execute("select code from audit.event_types")}
    bodies = connection.execute(
        r"""
        select p.oid::regprocedure::text, p.prosrc
        from pg_proc as p
        where p.prosrc ~ 'audit\.log_(security|system)\s*\('
        """
    ).fetchall()
    others = {
        name
        for (name,) in connection.execute(
            "select code from iam.permissions union all select oid::regclass::text from pg_class"
        )
    }
    produced = set()
    for name, body in bodies:
        first = LOGGED.findall(body)
        # A call whose code is an expression: every code in the function is one of its values. A function
        # without a code repeats an event that another could not record.
        named = {code for code in first if code} if all(first) else set(CODE.findall(body)) - others
        # A prefix with a value: the codes whose last word is a literal of the function.
        named |= {
            code
            for code in codes
            for prefix in PREFIX.findall(body)
            if code.startswith(prefix) and f"'{code.removeprefix(prefix)}'" in body
        }
        assert named <= codes, f"{name} uses unknown event codes {named - codes}"
        produced |= named

    assert codes - produced == set()


PRIVILEGES = (
    "iam.user_roles",
    "iam.memberships",
    "iam.permission_grants",
    "iam.role_permissions",
    "iam.permissions",
    "iam.roles",
    "iam.invitations",
)


@pytest.mark.parametrize("role", ["postgres", "service_role"])
@pytest.mark.parametrize("table", [*PRIVILEGES, "iam.tenants"])
def test_a_change_of_privileges_by_another_role_than_the_owner_leaves_one_event(
    connection: psycopg.Connection, table: str, role: str
) -> None:
    column = {"iam.tenants": "status", "iam.roles": "tier", "iam.role_permissions": "is_default"}.get(
        table, "id"
    )
    with connection.transaction(force_rollback=True):
        connection.execute(f"grant select, update on {table} to service_role")
        connection.execute(f"set local role {role}")
        connection.execute(
            f"update {table} set {column} = {column} where ctid = (select min(ctid) from {table})"
        )
        connection.execute("reset role")

        assert security_events(connection) == ["privilege.changed"]


@pytest.mark.parametrize("table", sorted(set(PRIVILEGES) - {"iam.roles"}))
def test_a_deleted_row_of_privileges_leaves_an_event(connection: psycopg.Connection, table: str) -> None:
    with connection.transaction(force_rollback=True):
        connection.execute(f"delete from {table} where ctid = (select min(ctid) from {table})")

        assert security_events(connection)[:1] == ["privilege.changed"]


def test_sign_in_and_sign_out_are_recorded(connection: psycopg.Connection) -> None:
    with connection.transaction(force_rollback=True):
        connection.execute(
            "insert into auth.sessions (id, user_id, created_at, aal, ip, user_agent) "
            "values (%s, %s, now(), 'aal1', '203.0.113.7', 'a browser')",
            [SESSION, ONE],
        )
        connection.execute("update auth.sessions set aal = 'aal2' where id = %s", [SESSION])
        during = connection.execute(
            "select aal, host(ip_address), ended_at is null from audit.sessions where session_id = %s",
            [SESSION],
        ).fetchone()
        connection.execute("delete from auth.sessions where id = %s", [SESSION])
        after = connection.execute(
            "select ended_at is not null from audit.sessions where session_id = %s", [SESSION]
        ).fetchone()

        assert (during, after) == (("aal2", "203.0.113.0", True), (True,))
        assert security_events(connection) == ["login.succeeded", "login.ended"]


def test_a_new_password_is_recorded(connection: psycopg.Connection) -> None:
    with connection.transaction(force_rollback=True):
        connection.execute("update auth.users set encrypted_password = 'x' where id = %s", [ONE])

        assert security_events(connection) == ["password.changed"]


def test_a_sign_in_does_not_depend_on_the_logs(connection: psycopg.Connection) -> None:
    with connection.transaction(force_rollback=True):
        connection.execute("alter table audit.sessions add check (false) not valid")
        connection.execute("insert into auth.sessions (id, user_id) values (%s, %s)", [SESSION, ONE])
        connection.execute("alter table audit.security_audit add check (false) not valid")
        connection.execute("update auth.users set encrypted_password = 'x' where id = %s", [ONE])

        assert security_events(connection) == []


def test_a_failed_job_is_recorded(connection: psycopg.Connection) -> None:
    with connection.transaction(force_rollback=True):
        connection.execute("insert into ops.job_runs (job_name) values ('a job')")
        connection.execute("update ops.job_runs set status = 'failed' where job_name = 'a job'")

        assert system_events(connection) == ["job.failed"]


@pytest.mark.parametrize(
    ("status", "code"),
    [
        ("detached", "partition.detached"),
        ("archived", "partition.archived"),
        ("dropped", "partition.dropped"),
    ],
)
def test_the_status_of_a_partition_is_recorded(
    connection: psycopg.Connection, status: str, code: str
) -> None:
    with connection.transaction(force_rollback=True):
        connection.execute(
            "insert into ops.partition_metadata (schema_name, table_name, partition_name) "
            "values ('audit', 'audit_log', 'audit__audit_log_p209901')"
        )
        connection.execute(
            "update ops.partition_metadata set status = %s where partition_name = 'audit__audit_log_p209901'",
            [status],
        )

        assert system_events(connection) == ["partition.created", code]


def test_the_audit_ignores_counters(connection: psycopg.Connection) -> None:
    counted = (
        "select count(*), count(*) filter (where 'message_count' = any (changed_columns)) "
        "from audit.audit_log"
    )
    with connection.transaction(force_rollback=True):
        connection.execute(
            "update ai.conversations set message_count = message_count + 1, last_message_at = now()"
        )
        nothing = connection.execute(counted + " where occurred_at >= now()").fetchone()
        connection.execute(
            "update ai.conversations set title = 'another', message_count = message_count + 1 "
            "where id = (select min(id::text)::uuid from ai.conversations)"
        )
        changed = connection.execute(counted + " where occurred_at >= now()").fetchone()

    assert (nothing, changed) == ((0, 0), (1, 0))


def test_every_counter_on_a_card_is_ignored_by_its_trigger(connection: psycopg.Connection) -> None:
    rows = connection.execute(
        "select tgrelid::regclass::text, encode(tgargs, 'escape') from pg_trigger where tgname = 'zz_audit'"
    ).fetchall()
    ignored = {
        table: arguments.split("\\000")[5].split(",")
        for table, arguments in rows
        if len(arguments.split("\\000")) > 6
    }

    assert ignored == {name: list(card.counters) for name, card in cards(PROJECT).items() if card.counters}
