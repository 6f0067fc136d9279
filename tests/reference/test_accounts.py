"""Triggers on auth never raise: accounts are created and changed, and what fails after it is repaired."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg.types.json import Jsonb

from tests.reference.conftest import seeded

Connection = psycopg.Connection[tuple[object, ...]]

BREAKS_AUDIT = """
create function pg_temp.fail() returns trigger language plpgsql
as $$ begin raise exception 'the audit fails'; end $$;
create trigger zzz_fail before insert on audit.audit_log for each row execute function pg_temp.fail();
"""
MISSING_PARTITIONS = """
do $$
declare
  partition regclass;
begin
  for partition in
    select inhrelid from pg_inherits
    where inhparent in ('audit.audit_log'::regclass, 'audit.security_audit'::regclass)
  loop
    execute format('drop table %s', partition);
  end loop;
end
$$;
"""
NO_REFERENCE = "delete from audit.security_audit; delete from audit.event_types;"


@pytest.fixture(scope="module")
def migrated() -> Iterator[Connection]:
    """A superuser's connection to the migrated database with its reference rows."""
    with seeded("reference") as connection:
        yield connection


@pytest.fixture
def built(migrated: Connection) -> Iterator[Connection]:
    """The migrated database in a transaction that is rolled back."""
    with migrated.transaction(force_rollback=True):
        yield migrated


def sign_up(
    connection: Connection, email: str | None, metadata: object = None, *, is_sso_user: bool = False
) -> UUID:
    account = uuid4()
    connection.execute(
        "insert into auth.users (id, email, raw_user_meta_data, is_sso_user) values (%s, %s, %s, %s)",
        [account, email, Jsonb(metadata), is_sso_user],
    )
    return account


def profile(connection: Connection, account: UUID) -> tuple[object, ...] | None:
    return connection.execute(
        "select email, full_name, display_name, avatar_url, timezone, locale from iam.profiles where id = %s",
        [account],
    ).fetchone()


def failures(connection: Connection) -> list[tuple[object, ...]]:
    """The failures that are not repaired: step, event, SQLSTATE."""
    return connection.execute(
        "select step, event_code, sqlstate from iam.account_failures where repaired_at is null order by step"
    ).fetchall()


def repair(connection: Connection) -> tuple[object, ...] | None:
    connection.execute("set local role aigym_job")
    row = connection.execute("select repaired, failing from iam.repair_profiles()").fetchone()
    connection.execute("set local role none")
    return row


def test_an_account_with_single_sign_on_can_have_the_address_of_another(built: Connection) -> None:
    accounts = [
        sign_up(built, "a@example.test"),
        sign_up(built, "A@example.test", is_sso_user=True),
        sign_up(built, "a@example.test", is_sso_user=True),
    ]

    assert [(profile(built, account) or ("",))[0] for account in accounts] == [
        *("a@example.test", "A@example.test", "a@example.test"),
    ]
    assert failures(built) == []


@pytest.mark.parametrize("email", ["root@localhost", "用户@例子.广告", "x" * 200 + "@example.test"])
def test_any_address_of_auth_is_copied(built: Connection, email: str) -> None:
    account = sign_up(built, email)

    assert (profile(built, account) or ("",))[0] == email
    assert failures(built) == []


@pytest.mark.parametrize("email", [None, "", "no address", "a@b@c"])
def test_an_account_without_a_valid_address_receives_one(built: Connection, email: str | None) -> None:
    account = sign_up(built, email)

    assert (profile(built, account) or ("",))[0] == f"{account}@no-address.invalid"
    assert failures(built) == []


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [
        (None, (None, None, None, "UTC", "en-US")),
        ([1, 2], (None, None, None, "UTC", "en-US")),
        ("text", (None, None, None, "UTC", "en-US")),
        ({"full_name": "x" * 5000}, ("x" * 200, None, None, "UTC", "en-US")),
        ({"full_name": {"a": 1}, "name": ["b"], "avatar_url": 7}, (None, None, None, "UTC", "en-US")),
        ({"name": "N", "display_name": "D\u202e"}, (None, "D", None, "UTC", "en-US")),
        ({"avatar_url": "javascript:alert(1)"}, (None, None, None, "UTC", "en-US")),
        ({"avatar_url": "https://a.test/" + "x" * 3000}, (None, None, None, "UTC", "en-US")),
        ({"avatar_url": "https://a.test/x"}, (None, None, "https://a.test/x", "UTC", "en-US")),
        ({"timezone": "Mars/Olympus", "locale": "klingon!"}, (None, None, None, "UTC", "en-US")),
        ({"timezone": 3, "locale": {}}, (None, None, None, "UTC", "en-US")),
        ({"timezone": "Europe/Rome", "locale": "it-IT"}, (None, None, None, "Europe/Rome", "it-IT")),
    ],
)
def test_metadata_of_any_kind_makes_a_valid_profile(
    built: Connection, metadata: object, expected: tuple[object, ...]
) -> None:
    account = sign_up(built, "a@example.test", metadata)

    assert profile(built, account) == ("a@example.test", *expected)
    assert failures(built) == []


@pytest.mark.parametrize("cause", [BREAKS_AUDIT, NO_REFERENCE, MISSING_PARTITIONS])
def test_accounts_change_whatever_fails_after_it(built: Connection, cause: str) -> None:
    known = sign_up(built, "known@example.test")
    built.execute("set local session_replication_role = replica")  # the logs are append-only
    built.execute(cause.encode())
    built.execute("set local session_replication_role = origin")

    account = sign_up(built, "new@example.test")
    built.execute("update auth.users set email = 'moved@example.test' where id = %s", [known])
    built.execute(
        "insert into auth.mfa_factors (id, user_id, factor_type, status, created_at, updated_at)"
        " values (gen_random_uuid(), %s, 'totp', 'verified', now(), now())",
        [account],
    )
    built.execute("delete from auth.mfa_factors")
    built.execute("update auth.users set banned_until = 'infinity' where id = %s", [account])

    assert failures(built)
    assert built.execute("select count(*) from auth.users").fetchone() == (2,)


def test_what_failed_is_listed_and_repaired_once(built: Connection) -> None:
    known = sign_up(built, "known@example.test")
    built.execute(BREAKS_AUDIT.encode())
    account = sign_up(built, "new@example.test", {"name": "New"})
    built.execute("update auth.users set email = 'moved@example.test' where id = %s", [known])
    while_broken = (profile(built, account), failures(built), repair(built))

    built.execute("drop trigger zzz_fail on audit.audit_log")
    repaired = [repair(built), repair(built)]

    assert while_broken == (
        None,
        [("email", None, "P0001"), ("profile", None, "P0001")],
        (0, 3),  # the account whose address was not copied cannot be repaired either
    )
    assert repaired == [(2, 0), (0, 0)]
    assert (profile(built, account) or ())[:3] == ("new@example.test", None, "New")
    assert (profile(built, known) or ("",))[0] == "moved@example.test"


def test_an_account_that_cannot_be_repaired_keeps_its_failures(built: Connection) -> None:
    failing, other = sign_up(built, "failing@example.test"), sign_up(built, "other@example.test")
    built.execute(
        "insert into iam.account_failures (user_id, step, sqlstate, repaired_at)"
        " values (%s, 'profile', '23514', now())",
        [failing],
    )
    built.execute(BREAKS_AUDIT.encode())
    built.execute("update auth.users set email = 'moved.' || email")
    built.execute("drop trigger zzz_fail on audit.audit_log")
    built.execute(
        f"create trigger zzz_fail before update on iam.profiles for each row when (new.id = '{failing}')"
        " execute function pg_temp.fail()".encode()
    )

    repaired = [repair(built), repair(built)]

    assert repaired == [(1, 2), (0, 2)]
    assert failures(built) == [("email", None, "P0001"), ("profile", None, "P0001")]
    assert [(profile(built, account) or ("",))[0] for account in (failing, other)] == [
        "failing@example.test",
        "moved.other@example.test",
    ]


def test_an_event_of_a_second_factor_is_recorded_later(built: Connection) -> None:
    account = sign_up(built, "a@example.test")
    built.execute("alter table audit.event_types rename column code to hidden")
    built.execute(
        "insert into auth.mfa_factors (id, user_id, factor_type, status, created_at, updated_at)"
        " values (gen_random_uuid(), %s, 'totp', 'unverified', now(), now())",
        [account],
    )
    built.execute("update auth.mfa_factors set status = 'verified'")
    listed = failures(built)
    built.execute("alter table audit.event_types rename column hidden to code")

    repaired = repair(built)
    built.execute("delete from auth.mfa_factors")

    assert listed == [("factor", "mfa.enrolled", "42703")]
    assert repaired == (1, 0)
    events = built.execute(
        "select t.code, e.user_id, e.details ? 'occurred_at' from audit.security_audit as e"
        " join audit.event_types as t on t.id = e.event_type_id"
        " where t.code like 'mfa.%' order by e.occurred_at"
    ).fetchall()
    assert events == [("mfa.enrolled", account, True), ("mfa.removed", account, False)]


def test_an_account_older_than_the_trigger_receives_its_profile(built: Connection) -> None:
    built.execute("alter table auth.users disable trigger auth_user_created")
    account = sign_up(built, "old@example.test")
    built.execute("alter table auth.users enable trigger auth_user_created")

    assert repair(built) == (1, 0)
    assert (profile(built, account) or ("",))[0] == "old@example.test"


def test_a_deleted_account_keeps_no_copy_of_its_address(built: Connection) -> None:
    account = sign_up(built, "gone@example.test")

    built.execute("update auth.users set email = 'd41d8cd9', deleted_at = now() where id = %s", [account])

    assert (profile(built, account) or ("",))[0] == f"{account}@no-address.invalid"
