"""Escalations: what actors reach after permitted calls and writes, on a schema with deliberate faults."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from aigym_db.access.escalations import escalations
from aigym_db.access.findings import differing_cells
from aigym_db.access.matrix import read_matrix
from aigym_db.access.trial import trial
from aigym_db.errors import BadAccessMatrix
from aigym_db.model.finding import Finding
from tests.access.calls import call_messages
from tests.access.conftest import MINI

TENANCY = Path(__file__).parent / "tenancy"


@pytest.fixture
def club(database: str) -> Iterator[psycopg.Connection]:
    """A superuser's connection to a database of clubs, whose functions have faults."""
    with psycopg.connect(database, autocommit=True) as opened:
        opened.execute((TENANCY / "schema.sql").read_bytes())
        opened.execute((TENANCY / "fixture.sql").read_bytes())
        yield opened


def calls(connection: psycopg.Connection) -> list[str]:
    """Execute all calls; return the message of each cell that differs."""
    return call_messages(connection, read_matrix(TENANCY))


def writes(connection: psycopg.Connection, root: Path) -> list[Finding]:
    """Execute all permitted writes; return the findings."""
    prepared = trial(connection, read_matrix(root))
    return list(escalations(prepared, prepared.run()).findings)


def gains(connection: psycopg.Connection, root: Path = MINI) -> list[str]:
    """Execute all permitted writes; return the messages about what is gained."""
    return [finding.message for finding in writes(connection, root) if finding.code == "ACC08"]


def names(connection: psycopg.Connection, root: Path = TENANCY) -> list[str]:
    """Execute all permitted writes; return the messages about other persons."""
    return [finding.message for finding in writes(connection, root) if finding.code == "ACC09"]


def test_the_cells_of_the_faulty_tables_match(club: psycopg.Connection) -> None:
    """No single table or call shows the faults."""
    assert list(differing_cells(trial(club, read_matrix(TENANCY)).outcomes())) == []
    assert gains(club, TENANCY) == []


def test_the_self_invitation_is_reported(club: psycopg.Connection) -> None:
    message = next(message for message in calls(club) if ": admin self: " in message)

    assert message.startswith("select club.invite(")
    assert message.endswith("; gains club.roles(held) 1.")


def test_the_resurrected_role_is_reported(club: psycopg.Connection) -> None:
    message = next(message for message in calls(club) if ": former back: " in message)

    assert message.startswith("admin: select club.invite(")
    assert "guard.admin_club_ids(own) 1" in message.split("actual")[1]
    assert "club.invitations 1" in message.split("actual")[1]


def test_the_ousted_owner_is_reported(club: psycopg.Connection) -> None:
    message = next(message for message in calls(club) if ": member oust: " in message)

    assert message.startswith("owner: select club.grant_admin(")
    assert "; owner gains club.roles(held) 1; owner loses club.invitations 1, " in message
    assert "guard.admin_club_ids(own) 1" in message.split("owner loses ")[1]


def test_the_forged_inviter_is_reported(club: psycopg.Connection) -> None:
    messages = names(club)

    assert [message.split(", by ")[0] for message in messages] == [
        "club.invitations: owner insert can name another person in invited_by",
        "club.invitations: admin insert can name another person in invited_by",
    ]
    assert "insert into" in messages[0]


def test_without_the_faults_nothing_is_found(club: psycopg.Connection) -> None:
    own = "select p.address from club.people as p where p.id = guard.me()"
    owned = "select from club.roles as r where r.name = 'owner' and r.person_id = revoke.person_id"
    denied = "then raise insufficient_privilege; end if;"
    ended = "delete from club.roles as r where r.person_id = guard.me();"
    change(club, "club.invite", "perform club", f"if address = ({own}) {denied} perform club")
    change(club, "club.accept", "insert into club.members", f"{ended} insert into club.members")
    change(club, "club.revoke", "update club.roles", f"if exists ({owned}) {denied} update club.roles")
    club.execute("revoke insert on club.invitations from mini_user")
    club.execute("grant insert (token, club_id, address, role) on club.invitations to mini_user")

    assert names(club) == []
    escalation = re.compile(r"gains [^;]*(admin_club_ids|club.roles\(held\))|owner loses")
    assert [message for message in calls(club) if escalation.search(message.split("actual")[1])] == []


def change(connection: psycopg.Connection, function: str, old: str, new: str) -> None:
    """Replace a part of a function."""
    row = connection.execute("select pg_get_functiondef(%s::regproc)", [function]).fetchone()
    assert row is not None
    assert old in row[0]
    connection.execute(str(row[0]).replace(old, new, 1).encode())


def test_writes_that_open_nothing_are_not_reported(connection: psycopg.Connection) -> None:
    assert gains(connection) == []


JOIN = (
    "create policy join_any on app.memberships for insert to mini_user "
    "with check (user_id = (select guard.me()))"
)


def test_a_membership_that_every_person_can_insert_for_themselves_is_a_takeover(
    connection: psycopg.Connection,
) -> None:
    """The inserted row is that of the fixture, without the end that it has there."""
    messages = gains(connection.execute(JOIN).connection)

    message = next(message for message in messages if "member insert" in message)
    assert message.startswith("app.memberships: member insert gains ")
    for gain in ("app.units ", "guard.tenants(own) 1", "app.memberships(held) 1"):
        assert gain in message.split(", by insert into ")[0]


def test_the_inserted_row_can_differ_from_those_of_the_fixture_in_its_key(
    connection: psycopg.Connection,
) -> None:
    connection.execute("delete from app.memberships where ended_at is not null")

    messages = gains(connection.execute(JOIN).connection)

    message = next(message for message in messages if "member insert" in message)
    assert "guard.tenants(own) 1" in message.split(", by insert into ")[0]


def test_an_update_of_an_own_row_that_helpers_read_is_an_escalation(connection: psycopg.Connection) -> None:
    connection.execute(
        "create policy update_own on app.memberships for update to mini_user "
        "using (user_id = (select guard.me())) with check (user_id = (select guard.me()))"
    )

    messages = gains(connection)

    assert any("comember update gains" in message and "guard.governs(own)" in message for message in messages)


def test_a_trigger_that_writes_a_membership_is_an_escalation(connection: psycopg.Connection) -> None:
    connection.execute(
        """create function app.join() returns trigger
        language plpgsql security definer set search_path = '' as $$
        begin
            update app.memberships set ended_at = null where user_id = guard.me();
            return null;
        end $$"""
    )
    connection.execute("create trigger join_all after insert on app.notes execute function app.join()")

    messages = gains(connection)

    assert any(message.startswith("app.notes: member insert gains ") for message in messages)


def test_a_write_with_a_gain_that_is_listed_is_not_reported(
    connection: psycopg.Connection, mini: Path
) -> None:
    connection.execute(JOIN)
    message = next(message for message in gains(connection) if ": member insert" in message)
    gained = ", ".join(re.findall(r"gains (.*?), by ", message))
    listed = re.findall(r"([^\s,]+) \d+", gained)
    file = mini / "policies/app.access.toml"
    row = f'["app.memberships".gains]\nmember = {{ insert = "{", ".join(listed)}" }}\n["app.notes"]'
    file.write_text(file.read_text().replace('["app.notes"]', row, 1))

    assert not any(": member insert" in message for message in gains(connection, mini))


def test_a_column_for_another_person_can_be_listed(club: psycopg.Connection, tmp_path: Path) -> None:
    shutil.copytree(TENANCY, tmp_path / "project")
    file = tmp_path / "project/policies/club.access.toml"
    row = 'people = ["governed", "governed", "-", "-", "-"]\n'
    listed = f'{row}["club.invitations".gains]\nowner = {{ insert = "(invited_by)" }}\n'
    file.write_text(file.read_text().replace(row, listed))

    assert [message.split(" can name")[0] for message in names(club, tmp_path / "project")] == [
        "club.invitations: admin insert"
    ]


def test_a_listed_gain_that_is_not_made_is_reported(connection: psycopg.Connection, mini: Path) -> None:
    file = mini / "policies/app.access.toml"
    row = '["app.memberships".gains]\nadmin = { insert = "app.units" }\n["app.notes"]'
    file.write_text(file.read_text().replace('["app.notes"]', row, 1))

    assert gains(connection, mini) == ["app.memberships: admin insert does not gain app.units."]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ('zoe = { insert = "app.units" }', "The actor or group `zoe` does not exist"),
        ('admin = { insert = "app.unitz~" }', "does not contain the table or call app.unitz."),
        ('admin = { select = "app.units" }', "has no key `select`"),
        ('admin = { insert = "app.units app.notes" }', "is not a list of gains"),
        ('admin = { insert = "app.units" }\npeople = {}\ncomember = {}', "The actor `admin` has two rows"),
    ],
)
def test_invalid_gains_are_an_error(mini: Path, row: str, message: str) -> None:
    file = mini / "policies/app.access.toml"
    gains_of_table = f'["app.memberships".gains]\n{row}\n["app.notes"]'
    file.write_text(file.read_text().replace('["app.notes"]', gains_of_table, 1))

    with pytest.raises(BadAccessMatrix, match=re.escape(message)):
        read_matrix(mini)
