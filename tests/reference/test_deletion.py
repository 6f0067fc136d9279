"""A tenant, a person, an item, a file and a folder can be deleted, whatever references them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import suppress

import psycopg
import pytest

from aigym_db.access.matrix import read_matrix
from aigym_db.access.test_database import connect_as
from tests.reference.conftest import PROJECT, WAITING, ReferenceDatabase

ADMIN = read_matrix(PROJECT.root).actors["community_admin"]

A = "00000000-0000-4000-8000-00000000b001"
PERSON = "00000000-0000-4000-8000-00000000a003"

Connection = psycopg.Connection[tuple[object, ...]]

ATTACH = """
-- Every item is in a folder, and has a file of its tenant or, in the catalogue, of a person.
update content.items as i
set
  folder_id = (
    select f.id from content.folders as f
    where f.tenant_id = i.tenant_id and f.repository_id = i.repository_id and f.deleted_at is null
    order by f.depth desc limit 1
  ),
  thumbnail_media_id = {file};
update content.videos as p set media_id = {file}, external_url = null
from content.items as i where i.id = p.item_id;
update content.documents as p set media_id = {file}, body = null
from content.items as i where i.id = p.item_id;
update content.ai_agents as p set avatar_media_id = {file} from content.items as i where i.id = p.item_id;
update content.items set published_by = '00000000-0000-4000-8000-00000000a003' where status = 'published';
update ai.conversations as c
set agent_id = (
  select a.item_id from content.ai_agents as a order by (a.tenant_id = c.tenant_id) desc nulls last limit 1
);
""".replace(
    "{file}",
    """coalesce(
    (select m.id from media.media as m where m.tenant_id = i.tenant_id order by m.id limit 1),
    '00000000-0000-4000-8000-00000000e101'
  )""",
)

ROWS = {
    "iam.tenants": "select t.id from iam.tenants as t "
    "where not exists (select from iam.tenants as below where below.parent_id = t.id)",
    "auth.users": "select id from auth.users",
    "content.items": "select id from content.items",
    "media.media": "select id from media.media",
    "content.folders": "select id from content.folders",
}


@pytest.fixture(scope="module")
def attached(base: ReferenceDatabase) -> Iterator[Connection]:
    """A superuser's connection to the test rows, in which items, files and folders reference each other."""
    with base.connection() as connection:
        connection.execute(ATTACH.encode())
        yield connection


@pytest.mark.parametrize("table", ROWS)
def test_a_row_can_be_deleted_whatever_references_it(attached: Connection, table: str) -> None:
    ids = [row[0] for row in attached.execute(ROWS[table].encode()).fetchall()]

    assert len(ids) > 5
    for id_ in ids:
        with attached.transaction(force_rollback=True):
            deleted = attached.execute(f"delete from {table} where id = %s".encode(), [id_]).rowcount
            attached.execute("set constraints all immediate")
            assert deleted == 1


def test_a_tenant_with_tenants_below_it_is_deleted_after_them(attached: Connection) -> None:
    with attached.transaction(force_rollback=True):
        for depth in (2, 1, 0):
            attached.execute("delete from iam.tenants where depth = %s", [depth])
        left = attached.execute(
            "select (select count(*) from iam.tenants), "
            "(select count(*) from content.items where tenant_id is not null), "
            "(select count(*) from content.documents where tenant_id is not null), "
            "(select count(*) from media.media where tenant_id is not null), "
            "(select count(*) from content.folders)"
        ).fetchone()

    assert left == (0, 0, 0, 0, 0)


def test_personal_files_are_deleted_with_their_person_and_do_not_become_files_of_the_platform(
    attached: Connection,
) -> None:
    platform = "select array(select id::text from media.media where tenant_id is null and owner_id is null)"
    in_tenants = (
        "select count(*) from media.media where tenant_id is not null and (owner_id is null or owner_id = %s)"
    )
    with attached.transaction(force_rollback=True):
        before = attached.execute(platform.encode()).fetchone()
        shared = attached.execute(in_tenants.encode(), [PERSON]).fetchone()
        attached.execute("delete from auth.users where id = %s", [PERSON])
        after = attached.execute(platform.encode()).fetchone()
        kept = attached.execute(
            "select count(*) from media.media where owner_id is null and tenant_id is not null"
        ).fetchone()
        without_file = attached.execute(
            "select count(*) from content.documents as d where d.tenant_id is null and d.media_id is null"
        ).fetchone()

    assert before == after == (["00000000-0000-4000-8000-00000000e301"],)
    assert kept == shared != (0,), "files of the person in a tenant stay there, without an owner"
    assert without_file == (2,)


UNITS = [f"00000000-0000-4000-8000-0000000ff{number:03}" for number in range(1, 3)]
FOLDER, INNER = "00000000-0000-4000-8000-00000000f101", "00000000-0000-4000-8000-00000000f102"
ITEM = "00000000-0000-4000-8000-000000001106"

BELOW_DELETED = """
select u.id from iam.units as u join iam.units as above on above.id = u.parent_id
where u.deleted_at is null and above.deleted_at is not null
union all
select f.id from content.folders as f join content.folders as above on above.id = f.parent_id
where f.deleted_at is null and above.deleted_at is not null
union all
select i.id from content.items as i join content.folders as above on above.id = i.folder_id
where i.deleted_at is null and above.deleted_at is not null
"""

DELETE_TOP = f"select core.soft_delete('iam.units', '{UNITS[0]}')"
INSERT_BELOW = f"insert into iam.units (tenant_id, name, parent_id) values ('{A}', 'Below', '{UNITS[1]}')"
RESTORE_UNIT = f"select core.restore('iam.units', '{UNITS[1]}')"
DELETE_FOLDER = f"select core.soft_delete('content.folders', '{FOLDER}')"
RESTORE_FOLDER = f"select core.restore('content.folders', '{INNER}')"
RESTORE_ITEM = f"select core.restore('content.items', '{ITEM}')"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (DELETE_TOP, INSERT_BELOW),
        (INSERT_BELOW, DELETE_TOP),
        (DELETE_TOP, RESTORE_UNIT),
        (RESTORE_UNIT, DELETE_TOP),
        (DELETE_FOLDER, RESTORE_FOLDER),
        (RESTORE_FOLDER, DELETE_FOLDER),
        (DELETE_FOLDER, RESTORE_ITEM),
        (RESTORE_ITEM, DELETE_FOLDER),
    ],
)
def test_no_row_is_left_below_a_deleted_row_by_concurrent_changes(
    base: ReferenceDatabase, first: str, second: str
) -> None:
    with base.database() as dsn, psycopg.connect(dsn, autocommit=True) as superuser:
        for id_, above in zip(UNITS, [None, *UNITS], strict=False):
            superuser.execute(
                "insert into iam.units (id, tenant_id, name, parent_id) values (%s, %s, %s, %s)",
                [id_, A, id_, above],
            )
        with connect_as(dsn, ADMIN) as session, connect_as(dsn, ADMIN) as other:
            for statement in (first, second):
                if "restore" in statement:
                    session.execute(statement.replace("restore", "soft_delete").encode())
            later = threading.Thread(target=lambda: rejected_or_not(other, second))
            with session.transaction():
                session.execute(first.encode())
                later.start()
                while later.is_alive() and not superuser.execute(WAITING).rowcount:
                    later.join(0.01)
            later.join(60)

        assert superuser.execute(BELOW_DELETED.encode()).fetchall() == []


def rejected_or_not(connection: Connection, statement: str) -> None:
    """Execute a statement that a foreign key may reject."""
    with suppress(psycopg.errors.ForeignKeyViolation):
        connection.execute(statement.encode())
