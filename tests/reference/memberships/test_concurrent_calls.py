"""Calls that change memberships, roles and permissions in two sessions at once."""

from __future__ import annotations

import threading

import psycopg
import pytest

from tests.reference.memberships.conftest import (
    HARBOUR,
    LEAVE,
    NORTHSIDE,
    Connection,
    SignIn,
    grant,
    invite,
    owners,
    person,
    value,
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


@pytest.mark.parametrize("revoked", ["role", "permission"])
def test_a_super_admin_who_is_suspended_during_the_call_revokes_nothing(
    superuser: Connection, sign_in: SignIn, revoked: str
) -> None:
    insert = {
        "role": "insert into iam.user_roles (user_id, role_id) "
        "select %s, id from iam.roles where code = 'super_admin' returning id",
        "permission": "insert into iam.permission_grants (user_id, permission_id, effect) "
        "select %s, id, 'deny' from iam.permissions where code = 'ai.use' returning id",
    }
    held = {
        "role": "iam.user_roles where revoked_at is null and",
        "permission": "iam.permission_grants where",
    }
    other = value(superuser, insert[revoked], person(superuser, "harbour.owner"))
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
        (f"select iam.revoke_{revoked}(%s)", [other]),
    )

    kept = value(superuser, f"select count(*) from {held[revoked]} id = %s", other)
    assert (outcome, kept) == ("42501", 1)


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


def test_a_role_that_is_widened_meanwhile_is_not_received(superuser: Connection, sign_in: SignIn) -> None:
    """The two sessions are those of one super admin."""
    platform = person(superuser, "platform")
    superuser.execute(
        "insert into iam.tenant_domains (tenant_id, domain, verified_at, auto_join, default_role_id) "
        "select %s, 'example.test', now(), true, id from iam.roles where code = 'coach'",
        [HARBOUR],
    )
    widen = "select iam.set_role_permission('coach', 'content.publish', true)"
    join = "select iam.join_by_domain(%s)"

    joined = concurrently(superuser, sign_in("platform"), sign_in("platform"), (widen, []), (join, [HARBOUR]))

    roles = value(
        superuser,
        "select count(*) from iam.user_roles where user_id = %s and tenant_id = %s",
        platform,
        HARBOUR,
    )
    assert (joined, roles) == ("42501", 0)


@pytest.mark.parametrize("denied", ["person => %s", "role_code => 'coach'"])
def test_an_owner_to_be_is_not_denied_to_grant_roles_meanwhile(
    superuser: Connection, sign_in: SignIn, denied: str
) -> None:
    """A super admin denies it to the person, or to a role of theirs."""
    editor = person(superuser, "harbour.editor")
    superuser.execute("delete from iam.user_roles where user_id = %s and tenant_id = %s", [editor, HARBOUR])
    grant(superuser, "harbour.editor", "coach", HARBOUR)
    deny = f"select iam.grant_permission('role.grant', 'deny', {denied})"
    hand_over = "select iam.hand_over_ownership(%s, %s)"

    outcome = concurrently(
        superuser,
        sign_in("harbour.owner"),
        sign_in("platform"),
        (hand_over, [HARBOUR, editor]),
        (deny, [editor] if "%s" in denied else []),
    )

    assert (outcome, value(superuser, "select iam.has_granting_owner(%s)", HARBOUR)) == ("55000", True)
