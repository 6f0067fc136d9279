"""Life cycles of memberships and roles: what each person reaches after each step."""

from __future__ import annotations

import psycopg
import pytest

from aigym_db.access.actor_transaction import ActorTransaction, ReachOfActor

A = "00000000-0000-4000-8000-00000000b001"
B = "00000000-0000-4000-8000-00000000b002"
EDITOR = "00000000-0000-4000-8000-00000000a024"

INVITE = "select token from iam.invite(%s, %s, %s)"
ACCEPT = "select iam.accept_invitation(%s)"


def tenants(reach: ReachOfActor) -> frozenset[str]:
    """The tenants of which the person is a member."""
    return reach.get("authz.tenant_ids(own)", frozenset())


def administered(reach: ReachOfActor) -> frozenset[str]:
    """The tenants that the person administers."""
    return reach.get("authz.admin_tenant_ids(own)", frozenset())


def edited(reach: ReachOfActor) -> frozenset[str]:
    """The tenants whose content the person edits."""
    return reach.get("authz.tenants_with(edit)", frozenset())


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
