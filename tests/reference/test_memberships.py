"""Memberships, roles and permissions over time and in concurrent sessions."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing

import psycopg
import pytest

from aigym_db.database.connect import connect
from tests.reference.conftest import seeded

Connection = psycopg.Connection[tuple[object, ...]]
SignIn = Callable[[str], Connection]

NORTHSIDE = "00000000-0000-4000-b000-000200000001"
HARBOUR = "00000000-0000-4000-b000-000200000003"


@pytest.fixture(scope="module")
def dsn() -> Iterator[str]:
    """The DSN of a database on the server whose template has the development rows."""
    with seeded("reference", "development") as connection:
        dsn = connection.info.dsn
        connection.close()
        yield dsn


@pytest.fixture
def superuser(dsn: str) -> Iterator[Connection]:
    """A superuser's connection to a copy of the database."""
    with closing(connect(dsn, autocommit=True)) as administration:
        administration.execute("drop database if exists copy with (force)")
        administration.execute("create database copy template template")
    with closing(connect(psycopg.conninfo.make_conninfo(dsn, dbname="copy"), autocommit=True)) as connection:
        yield connection


@pytest.fixture
def sign_in(superuser: Connection) -> Iterator[SignIn]:
    """Return a session of a person with a second factor, named by the local part of the address."""
    with ExitStack() as opened:

        def session(name: str) -> Connection:
            connection = opened.enter_context(closing(connect(superuser.info.dsn, autocommit=True)))
            connection.execute("set role authenticated")
            connection.execute(
                "select set_config('request.jwt.claims', jsonb_build_object("
                "'sub', %s::text, 'role', 'authenticated', 'aal', 'aal2')::text, false)",
                [person(superuser, name)],
            )
            return connection

        yield session


def person(connection: Connection, name: str) -> object:
    row = connection.execute(
        "select id from iam.profiles where email = %s", [f"{name}@example.test"]
    ).fetchone()
    assert row is not None, name
    return row[0]


def value(connection: Connection, statement: str, *parameters: object) -> object:
    row = connection.execute(statement.encode(), parameters).fetchone()
    return row[0] if row else None


def owners(connection: Connection, tenant: str) -> object:
    return value(
        connection,
        "select count(*) from iam.user_roles as ur join iam.roles as r on r.id = ur.role_id "
        "join iam.memberships as m on m.tenant_id = ur.tenant_id and m.user_id = ur.user_id "
        "where ur.tenant_id = %s and r.code = 'owner' and ur.revoked_at is null and m.status = 'active'",
        tenant,
    )


def grant(connection: Connection, name: str, role: str, tenant: str) -> None:
    connection.execute(
        "insert into iam.user_roles (user_id, role_id, tenant_id) "
        "select %s, id, %s from iam.roles where code = %s",
        [person(connection, name), tenant, role],
    )


def concurrently(
    superuser: Connection, first: Connection, second: Connection, *calls: tuple[str, list[object]]
) -> str:
    """Start the second call before the first is committed, and return how it ended."""
    (call, parameters), (other, other_parameters) = calls
    outcome = ["committed"]

    def run() -> None:
        try:
            second.execute(other.encode(), other_parameters)
        except psycopg.Error as error:
            outcome[0] = error.sqlstate or "error"

    with first.transaction():
        first.execute(call.encode(), parameters)
        thread = threading.Thread(target=run)
        thread.start()
        while thread.is_alive() and not value(
            superuser, "select cardinality(pg_blocking_pids(%s)) > 0", second.info.backend_pid
        ):
            thread.join(0.01)
    thread.join(60)
    return outcome[0]


LEAVE = "select iam.set_membership_status(%s, %s, 'terminated')"


def test_of_two_owners_who_leave_at_once_one_stays(superuser: Connection, sign_in: SignIn) -> None:
    grant(superuser, "harbour.editor", "owner", HARBOUR)
    first, second = sign_in("harbour.owner"), sign_in("harbour.editor")

    outcome = concurrently(
        superuser,
        first,
        second,
        (LEAVE, [HARBOUR, person(superuser, "harbour.owner")]),
        (LEAVE, [HARBOUR, person(superuser, "harbour.editor")]),
    )

    assert (outcome, owners(superuser, HARBOUR)) == ("55000", 1)


def test_of_two_owners_who_revoke_each_other_one_stays(superuser: Connection, sign_in: SignIn) -> None:
    grant(superuser, "harbour.editor", "owner", HARBOUR)
    first, second = sign_in("harbour.owner"), sign_in("harbour.editor")
    role = (
        "select id from iam.user_roles where tenant_id = %s and user_id = %s and "
        "role_id = (select id from iam.roles where code = 'owner')"
    )

    outcome = concurrently(
        superuser,
        first,
        second,
        (
            "select iam.revoke_role(%s)",
            [value(superuser, role, HARBOUR, person(superuser, "harbour.editor"))],
        ),
        ("select iam.revoke_role(%s)", [value(superuser, role, HARBOUR, person(superuser, "harbour.owner"))]),
    )

    assert (outcome, owners(superuser, HARBOUR)) == ("committed", 1)


def test_a_role_is_revoked_once(superuser: Connection, sign_in: SignIn) -> None:
    grant(superuser, "harbour.editor", "owner", HARBOUR)
    role = "select id from iam.user_roles where tenant_id = %s and user_id = %s"
    revoke: tuple[str, list[object]] = (
        "select iam.revoke_role(%s)",
        [value(superuser, role, HARBOUR, person(superuser, "harbour.coach"))],
    )

    outcome = concurrently(superuser, sign_in("harbour.owner"), sign_in("harbour.editor"), revoke, revoke)

    events = value(
        superuser,
        "select count(*) from audit.security_audit as log "
        "join audit.event_types as t on t.id = log.event_type_id where t.code = 'role.revoked'",
    )
    assert (outcome, events) == ("committed", 1)


def test_a_super_admin_who_is_suspended_during_the_call_revokes_no_role(
    superuser: Connection, sign_in: SignIn
) -> None:
    insert = (
        "insert into iam.user_roles (user_id, role_id) "
        "select %s, id from iam.roles where code = 'super_admin' returning id"
    )
    other = value(superuser, insert, person(superuser, "harbour.owner"))
    administration = sign_in("platform")
    administration.execute("reset role")

    outcome = concurrently(
        superuser,
        administration,
        sign_in("platform"),
        (
            "with suspended as (update iam.profiles set status = 'suspended' where id = %s) "
            "select iam.lock_platform()",
            [person(superuser, "platform")],
        ),
        ("select iam.revoke_role(%s)", [other]),
    )

    revoked = value(superuser, "select revoked_at is not null from iam.user_roles where id = %s", other)
    assert (outcome, revoked) == ("42501", False)


DENY = "select iam.grant_permission('platform.grant', 'deny', person => %s)"
REMOVE = "select iam.set_role_permission(%s, 'platform.grant', false)"


@pytest.mark.parametrize("path", ["person", "role"])
def test_of_two_people_who_take_platform_grant_from_each_other_one_keeps_it(
    superuser: Connection, sign_in: SignIn, path: str
) -> None:
    """The one is a super admin, the other has the permission by another role on the platform."""
    superuser.execute(
        "insert into iam.role_permissions (role_id, permission_id) select r.id, p.id "
        "from iam.roles as r, iam.permissions as p where r.code = 'manager' and p.code = 'platform.grant'"
    )
    superuser.execute(
        "insert into iam.user_roles (user_id, role_id) select %s, id from iam.roles where code = 'manager'",
        [person(superuser, "harbour.owner")],
    )
    calls: dict[str, list[tuple[str, list[object]]]] = {
        "person": [(DENY, [person(superuser, name)]) for name in ("harbour.owner", "platform")],
        "role": [(REMOVE, [role]) for role in ("manager", "super_admin")],
    }

    outcome = concurrently(superuser, sign_in("platform"), sign_in("harbour.owner"), *calls[path])

    assert outcome == "42501"


def test_an_owner_who_hands_over_twice_at_once_hands_over_once(
    superuser: Connection, sign_in: SignIn
) -> None:
    hand_over = "select iam.hand_over_ownership(%s, %s)"

    outcome = concurrently(
        superuser,
        sign_in("harbour.owner"),
        sign_in("harbour.owner"),
        (hand_over, [HARBOUR, person(superuser, "harbour.editor")]),
        (hand_over, [HARBOUR, person(superuser, "harbour.coach")]),
    )

    assert (outcome, owners(superuser, HARBOUR)) == ("42501", 1)


def invite(session: Connection, tenant: str, name: str, role: str = "member") -> object:
    return value(session, "select token from iam.invite(%s, %s, %s)", tenant, f"{name}@example.test", role)


def test_an_invitation_is_accepted_once(superuser: Connection, sign_in: SignIn) -> None:
    token = invite(sign_in("north.admin"), NORTHSIDE, "harbour.member1")
    accept = ("select iam.accept_invitation(%s)", [token])

    outcome = concurrently(superuser, sign_in("harbour.member1"), sign_in("harbour.member1"), accept, accept)

    assert outcome == "42501"


def test_the_member_limit_holds_for_concurrent_members(superuser: Connection, sign_in: SignIn) -> None:
    superuser.execute("update iam.tenants set user_limit = 11 where id = %s", [NORTHSIDE])
    admin = sign_in("north.admin")
    accept = "select iam.accept_invitation(%s)"

    outcome = concurrently(
        superuser,
        sign_in("harbour.member1"),
        sign_in("harbour.member2"),
        (accept, [invite(admin, NORTHSIDE, "harbour.member1")]),
        (accept, [invite(admin, NORTHSIDE, "harbour.member2")]),
    )

    members = value(
        superuser,
        "select count(*) from iam.memberships where tenant_id = %s and status = 'active'",
        NORTHSIDE,
    )
    assert (outcome, members) == ("53400", 11)


@pytest.mark.parametrize("path", ["function", "direct", "deleted"])
def test_a_role_does_not_return_with_the_membership(
    superuser: Connection, sign_in: SignIn, path: str
) -> None:
    admin, member = sign_in("north.admin"), sign_in("north.member1")
    grant(superuser, "north.member1", "community_admin", NORTHSIDE)
    before = value(member, "select count(*) from authz.admin_tenant_ids()")
    mine = person(superuser, "north.member1")
    if path == "function":
        admin.execute(LEAVE.encode(), [NORTHSIDE, mine])
    elif path == "direct":
        superuser.execute("update iam.memberships set status = 'terminated' where user_id = %s", [mine])
    else:
        superuser.execute("delete from iam.memberships where user_id = %s", [mine])

    member.execute("select iam.accept_invitation(%s)", [invite(admin, NORTHSIDE, "north.member1", "guest")])

    assert before == 2
    assert value(member, "select count(*) from authz.admin_tenant_ids()") == 0
    assert value(member, "select count(*) from authz.tenant_ids()") == 1


def test_a_role_does_not_return_with_a_membership_that_had_expired(
    superuser: Connection, sign_in: SignIn
) -> None:
    member = sign_in("north.member1")
    grant(superuser, "north.member1", "community_admin", NORTHSIDE)
    mine = person(superuser, "north.member1")
    superuser.execute(
        "update iam.memberships set expires_at = now() - interval '1 second' where user_id = %s", [mine]
    )
    while_expired = value(member, "select count(*) from authz.admin_tenant_ids()")

    superuser.execute("update iam.memberships set expires_at = null where user_id = %s", [mine])

    assert (while_expired, value(member, "select count(*) from authz.admin_tenant_ids()")) == (0, 0)


def test_a_membership_that_is_limited_keeps_its_roles(superuser: Connection, sign_in: SignIn) -> None:
    member = sign_in("north.member1")
    grant(superuser, "north.member1", "community_admin", NORTHSIDE)

    superuser.execute(
        "update iam.memberships set expires_at = now() + interval '1 day' where user_id = %s",
        [person(superuser, "north.member1")],
    )

    assert value(member, "select count(*) from authz.admin_tenant_ids()") == 2


def test_open_invitations_end_with_the_role_of_the_inviter(superuser: Connection, sign_in: SignIn) -> None:
    token = invite(sign_in("north.admin"), NORTHSIDE, "harbour.member1")
    superuser.execute(
        "update iam.user_roles set revoked_at = now() where user_id = %s and tenant_id = %s",
        [person(superuser, "north.admin"), NORTHSIDE],
    )
    grant(superuser, "north.admin", "community_admin", NORTHSIDE)

    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        sign_in("harbour.member1").execute("select iam.accept_invitation(%s)", [token])


def test_each_permitted_call_leaves_one_security_event(superuser: Connection, sign_in: SignIn) -> None:
    admin, member = sign_in("north.admin"), person(superuser, "north.member1")
    calls: list[tuple[str, list[object]]] = [
        ("select iam.grant_role(%s, 'content_editor', %s)", [member, NORTHSIDE]),
        ("select iam.set_membership_status(%s, %s, 'suspended')", [NORTHSIDE, member]),
        ("select iam.set_membership_status(%s, %s, 'active')", [NORTHSIDE, member]),
        ("select iam.grant_permission('ai.use', 'deny', %s, %s)", [NORTHSIDE, member]),
        ("select iam.invite(%s, 'new@example.test')", [NORTHSIDE]),
        (LEAVE, [NORTHSIDE, member]),
    ]

    events = []
    for statement, parameters in calls:
        before = value(superuser, "select count(*) from audit.security_audit")
        admin.execute(statement.encode(), parameters)
        events.append(value(superuser, "select count(*) - %s from audit.security_audit", before))

    assert events == [1] * len(calls)


def test_tenants_and_people_can_be_deleted_whatever_belongs_to_them(superuser: Connection) -> None:
    superuser.execute("delete from iam.tenants where parent_id is not null")
    superuser.execute("delete from iam.tenants")
    superuser.execute("delete from auth.users")

    left = [
        value(superuser, f"select count(*) from iam.{table}")
        for table in ("tenants", "profiles", "memberships", "user_roles", "unit_members", "invitations")
    ]
    assert left == [0] * 6


PERMISSION_TESTS = re.compile(
    r"(?:tenants_with|governed_with|assert_permission|may_on_platform)\((?:[\w.]+, )?'([a-z_]+\.[a-z_]+)'"
)


def test_each_permission_is_tested_by_a_policy_or_a_function(superuser: Connection) -> None:
    """Each code occurs in a policy or a function, and each code that occurs there exists."""
    texts = superuser.execute(
        "select coalesce(qual, '') || coalesce(with_check, '') from pg_policies "
        "union all select prosrc from pg_proc where pronamespace::regnamespace::text = any (%s)",
        [["authz", "iam", "content", "media", "ai", "audit", "core", "ops"]],
    ).fetchall()
    tested = {code for (text,) in texts for code in PERMISSION_TESTS.findall(str(text).replace("::text", ""))}
    codes = {str(code) for (code,) in superuser.execute("select code from iam.permissions")}

    assert tested == codes
