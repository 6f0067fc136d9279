"""Memberships, roles and permissions over time."""

from __future__ import annotations

import re

import psycopg
import pytest

from tests.reference.memberships.conftest import (
    LEAVE,
    NORTHSIDE,
    Connection,
    SignIn,
    grant,
    invite,
    person,
    value,
)


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
