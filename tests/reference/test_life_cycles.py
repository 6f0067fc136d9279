"""Life cycles of memberships, roles and tenants: what each person reaches after each step."""

from __future__ import annotations

import psycopg
import pytest

from aigym_db.access.actor_transaction import ActorTransaction, ReachOfActor

A, A_EAST = (f"00000000-0000-4000-8000-00000000{tenant}" for tenant in ("b001", "b003"))
B, B_CLUB, B_GYM = (f"00000000-0000-4000-8000-00000000{tenant}" for tenant in ("b002", "b008", "b009"))
MEMBER_B, FORMER, EDITOR = (
    f"00000000-0000-4000-8000-00000000{person}" for person in ("a007", "a012", "a024")
)
ADMIN_B, BANNED, OWNER_A = (
    f"00000000-0000-4000-8000-00000000{person}" for person in ("a006", "a031", "a042")
)
AGENT_A, AGENT_OF_PLATFORM = (f"00000000-0000-4000-8000-00000000{agent}" for agent in ("1101", "1901"))
NEW_PERSON = "00000000-0000-4000-8000-00000000a043"
AAL2 = {"aal": "aal2"}

INVITE = "select token from iam.invite(%s, %s, %s)"
ACCEPT = "select iam.accept_invitation(%s)"
SET_STATUS = "select iam.set_membership_status(%s, %s, %s)"
SET_TENANT = "select iam.set_tenant_status(%s, %s)"
REVOKE_ALL = (
    "select iam.revoke_role(id) from iam.user_roles "
    "where user_id = %s and tenant_id = %s and revoked_at is null"
)
GRANT = "select iam.grant_role(%s, %s, %s)"


def tenants(reach: ReachOfActor) -> frozenset[str]:
    """The tenants of which the person is a member."""
    return reach.get("authz.tenant_ids(own)", frozenset())


def administered(reach: ReachOfActor) -> frozenset[str]:
    """The tenants that the person administers."""
    return reach.get("authz.admin_tenant_ids(own)", frozenset())


def edited(reach: ReachOfActor) -> frozenset[str]:
    """The tenants whose content the person edits."""
    return reach.get("authz.tenants_with(edit)", frozenset())


def invite_and_accept(transaction: ActorTransaction, role: str) -> None:
    """The admin of A invites the member of B, who accepts."""
    ((token,),) = transaction.act("community_admin", INVITE, [A, "member.b@example.test", role])
    transaction.act("outsider", ACCEPT, [token])


def test_an_invited_person_reaches_the_tenant_after_acceptance_only(
    actor_transaction: ActorTransaction,
) -> None:
    actor_transaction.execute("update iam.invitations set revoked_at = now() where accepted_at is null")
    before = actor_transaction.reach("outsider")
    inviting = actor_transaction.reach("community_admin")
    assert tenants(before) == {B}

    ((token,),) = actor_transaction.act("community_admin", INVITE, [A, "member.b@example.test", "member"])

    assert actor_transaction.reach("outsider") == before

    actor_transaction.act("outsider", ACCEPT, [token])

    after = actor_transaction.reach("outsider")
    assert tenants(after) == {A, B}
    assert after["content.items"] > before["content.items"]
    assert administered(after) == edited(after) == frozenset()
    assert administered(actor_transaction.reach("community_admin")) == administered(inviting)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        actor_transaction.act("outsider", ACCEPT, [token])


def test_a_suspended_member_reaches_the_tenant_again_after_the_suspension(
    actor_transaction: ActorTransaction,
) -> None:
    before = actor_transaction.reach("outsider")
    invite_and_accept(actor_transaction, "member")
    member = actor_transaction.reach("outsider")

    actor_transaction.act("community_admin", SET_STATUS, [A, MEMBER_B, "suspended"])

    suspended = actor_transaction.reach("outsider")
    assert tenants(suspended) == {B}
    assert suspended["content.items"] == before["content.items"]
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        actor_transaction.act("outsider", SET_STATUS, [A, MEMBER_B, "active"], claims=AAL2)

    actor_transaction.act("community_admin", SET_STATUS, [A, MEMBER_B, "active"])

    again = actor_transaction.reach("outsider")
    assert tenants(again) == tenants(member)
    assert again["content.items"] == member["content.items"]


def test_roles_of_a_terminated_membership_do_not_come_back_with_another(
    actor_transaction: ActorTransaction,
) -> None:
    before = actor_transaction.reach("outsider")
    invite_and_accept(actor_transaction, "member")
    actor_transaction.act("community_admin", GRANT, [MEMBER_B, "content_editor", A])
    assert edited(actor_transaction.reach("outsider")) == {A}

    actor_transaction.act("community_admin", SET_STATUS, [A, MEMBER_B, "terminated"])

    terminated = actor_transaction.reach("outsider")
    assert tenants(terminated) == {B}
    assert edited(terminated) == frozenset()
    assert terminated["content.items"] == before["content.items"]
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        actor_transaction.act("community_admin", SET_STATUS, [A, MEMBER_B, "active"])

    invite_and_accept(actor_transaction, "guest")

    guest = actor_transaction.reach("outsider")
    assert tenants(guest) == {A, B}
    assert edited(guest) == frozenset()
    assert guest.get("content.items~", frozenset()) == before.get("content.items~", frozenset())


def test_an_expired_role_has_no_effect_and_the_membership_remains(
    actor_transaction: ActorTransaction,
) -> None:
    editor = actor_transaction.reach("editor")
    assert edited(editor) == {A}

    actor_transaction.execute(
        "update iam.user_roles set expires_at = now() - interval '1 second' "
        "where user_id = %s and tenant_id = %s",
        [EDITOR, A],
    )

    expired = actor_transaction.reach("editor")
    assert tenants(expired) == {A}
    assert edited(expired) == frozenset()
    assert expired.get("content.items~", frozenset()) < editor["content.items~"]


def test_a_suspended_or_closing_tenant_is_closed_to_members_and_admins(
    actor_transaction: ActorTransaction,
) -> None:
    admin, member = actor_transaction.reach("east_admin"), actor_transaction.reach("east_member", claims=AAL2)
    assert administered(admin) == tenants(member) == {A_EAST}

    actor_transaction.act("super_admin", SET_TENANT, [A_EAST, "suspended"])

    assert administered(actor_transaction.reach("east_admin")) == frozenset()
    assert tenants(actor_transaction.reach("east_admin")) == frozenset()
    assert tenants(actor_transaction.reach("east_member", claims=AAL2)) == frozenset()
    assert A_EAST not in administered(actor_transaction.reach("community_admin"))
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        actor_transaction.act("east_admin", INVITE, [A_EAST, "new@example.test", "member"])
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        actor_transaction.act("east_admin", SET_TENANT, [A_EAST, "active"])

    actor_transaction.act("super_admin", SET_TENANT, [A_EAST, "active"])

    assert actor_transaction.reach("east_member", claims=AAL2) == member
    assert administered(actor_transaction.reach("east_admin")) == {A_EAST}

    actor_transaction.act("super_admin", SET_TENANT, [A_EAST, "closing"])

    assert tenants(actor_transaction.reach("east_member", claims=AAL2)) == frozenset()
    assert administered(actor_transaction.reach("east_admin")) == frozenset()


def test_an_owner_who_hands_over_stays_a_member_and_an_admin_cannot_oust_the_new_owner(
    actor_transaction: ActorTransaction,
) -> None:
    everything = {B, B_CLUB, B_GYM}
    assert administered(actor_transaction.reach("other_admin")) == everything

    actor_transaction.act("other_admin", "select iam.hand_over_ownership(%s, %s)", [B, MEMBER_B])

    former = actor_transaction.reach("other_admin")
    assert tenants(former) == {B}
    assert administered(former) == frozenset()
    owner = actor_transaction.reach("outsider", claims=AAL2)
    assert administered(owner) == everything

    actor_transaction.act("outsider", GRANT, [FORMER, "community_admin", B], claims=AAL2)

    assert administered(actor_transaction.reach("former_admin")) == everything
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        actor_transaction.act("former_admin", SET_STATUS, [B, MEMBER_B, "suspended"])
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        actor_transaction.act("former_admin", REVOKE_ALL, [MEMBER_B, B])
    assert administered(actor_transaction.reach("outsider", claims=AAL2)) == everything


def test_an_owner_whose_account_is_banned_does_not_replace_the_last_owner(
    actor_transaction: ActorTransaction,
) -> None:
    actor_transaction.act(
        "service_role", "insert into iam.memberships (tenant_id, user_id) values (%s, %s)", [B, BANNED]
    )
    actor_transaction.act("other_admin", GRANT, [BANNED, "owner", B])

    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState):
        actor_transaction.act("other_admin", SET_STATUS, [B, ADMIN_B, "terminated"])


def test_an_admin_below_cannot_revoke_a_role_of_the_owner_above(actor_transaction: ActorTransaction) -> None:
    actor_transaction.act(
        "service_role", "insert into iam.memberships (tenant_id, user_id) values (%s, %s)", [A_EAST, OWNER_A]
    )
    actor_transaction.act(
        "service_role",
        "insert into iam.user_roles (user_id, role_id, tenant_id) "
        "select %s, id, %s from iam.roles where code = 'member'",
        [OWNER_A, A_EAST],
    )

    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        actor_transaction.act("east_admin", REVOKE_ALL, [OWNER_A, A_EAST])


def test_an_agent_of_a_tenant_answers_in_conversations_of_the_tenant_only(
    actor_transaction: ActorTransaction,
) -> None:
    begin = "insert into ai.conversations (tenant_id, agent_id) values (%s, %s)"

    actor_transaction.act("member", begin, [A, AGENT_A])
    actor_transaction.act("member", begin, [None, AGENT_OF_PLATFORM])
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        actor_transaction.act("member", begin, [None, AGENT_A])


def test_a_permission_that_requires_a_second_factor_has_no_effect_without_one(
    actor_transaction: ActorTransaction,
) -> None:
    actor_transaction.act(
        "service_role",
        "insert into iam.permission_grants (user_id, permission_id, tenant_id, effect) "
        "select %s, id, %s, 'allow' from iam.permissions where code = 'tenant.configure'",
        [MEMBER_B, B],
    )
    configure = "update iam.tenants set description = 'changed' where id = %s returning 1"
    with_permission = "select authz.tenants_with('tenant.configure')"

    assert actor_transaction.act("outsider", configure, [B]) == []
    assert actor_transaction.act("outsider", with_permission, []) == []
    assert len(actor_transaction.act("outsider", configure, [B], claims=AAL2)) == 1
    assert len(actor_transaction.act("outsider", with_permission, [], claims=AAL2)) == 1


@pytest.mark.parametrize(
    "change",
    ["email = 'x@joined.test@other.test'", "email_confirmed_at = null"],
)
def test_an_address_that_is_unconfirmed_or_has_two_at_signs_joins_no_tenant(
    actor_transaction: ActorTransaction, change: str
) -> None:
    actor_transaction.execute(
        "insert into iam.tenant_domains (tenant_id, domain, verified_at, auto_join) "
        "values (%s, 'joined.test', now(), true)",
        [B],
    )
    address = "update auth.users set email_confirmed_at = now(), email = 'x@joined.test' where id = %s"
    actor_transaction.execute(address, [NEW_PERSON])
    actor_transaction.execute(f"update auth.users set {change} where id = %s", [NEW_PERSON])

    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="cannot be joined with the address"):
        actor_transaction.act("new_person", "select iam.join_by_domain(%s)", [B])
