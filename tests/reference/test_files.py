"""Files: their formats, the storage limit of a tenant, and who decides where an object is stored."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import psycopg
import pytest

from aigym_db.access.matrix import read_matrix
from aigym_db.access.test_database import connect_as
from tests.reference.conftest import PROJECT, WAITING, ReferenceDatabase
from tests.support.waiting import wait_for_row

CREATOR = read_matrix(PROJECT.root).actors["creator"]
A = "00000000-0000-4000-8000-00000000b001"

Connection = psycopg.Connection[tuple[object, ...]]


@pytest.fixture
def superuser(base: ReferenceDatabase) -> Iterator[Connection]:
    """A superuser's connection to a database with the test rows; tenant A has used all but a megabyte."""
    with base.connection() as connection:
        connection.execute("update media.media set file_size_bytes = 1048576 where tenant_id = %s", [A])
        connection.execute(
            "update iam.tenants set storage_limit_mb = 1 + (select count(*) from media.media "
            "where tenant_id = %s and deleted_at is null) where id = %s",
            [A, A],
        )
        yield connection


def add(connection: Connection, size: int, mime_type: str = "application/pdf") -> str:
    """Insert a document file into tenant A as the connection's person; return its id."""
    row = connection.execute(
        "insert into media.media (media_type_id, tenant_id, filename, mime_type, file_size_bytes) "
        "select id, %s, 'new.pdf', %s, %s from media.media_types where code = 'document' returning id",
        [A, mime_type, size],
    ).fetchone()
    assert row is not None
    return str(row[0])


def test_the_storage_of_a_tenant_is_limited(superuser: Connection) -> None:
    with connect_as(superuser.info.dsn, CREATOR) as creator:
        first = add(creator, 1048575)
        add(creator, 1)
        with pytest.raises(psycopg.errors.CheckViolation, match="storage limit"):
            add(creator, 1)

        assert creator.execute("select core.soft_delete('media.media', %s)", [first]).fetchone() == (True,)
        add(creator, 1000)
        with pytest.raises(psycopg.errors.CheckViolation, match="storage limit"):
            creator.execute("select core.restore('media.media', %s)", [first])


def test_a_file_cannot_grow_or_change_tenant_past_the_limit(superuser: Connection) -> None:
    with pytest.raises(psycopg.errors.CheckViolation, match="storage limit"):
        superuser.execute(
            "update media.media set file_size_bytes = 2097153 "
            "where id = '00000000-0000-4000-8000-00000000e102'"
        )
    with pytest.raises(psycopg.errors.CheckViolation, match="storage limit"):
        superuser.execute(
            "update media.media set file_size_bytes = 1048577, tenant_id = %s where tenant_id is null", [A]
        )


def test_two_files_added_at_the_same_time_share_the_limit(superuser: Connection) -> None:
    rejected: list[str] = []

    def second() -> None:
        with connect_as(superuser.info.dsn, CREATOR) as connection:
            try:
                add(connection, 600_000)
            except psycopg.errors.CheckViolation as error:
                rejected.append(str(error.diag.message_primary))

    with connect_as(superuser.info.dsn, CREATOR) as first:
        first.execute("begin")
        add(first, 600_000)
        thread = threading.Thread(target=second)
        thread.start()
        wait_for_row(superuser, WAITING)
        first.execute("commit")
        thread.join(30)

    assert rejected == ["the storage limit of the tenant is exceeded"]


@pytest.mark.parametrize(("mime_type", "size"), [("image/png", 10), ("application/pdf", 104857601)])
def test_a_file_has_a_format_and_a_size_that_its_type_allows(
    superuser: Connection, mime_type: str, size: int
) -> None:
    superuser.execute("update iam.tenants set storage_limit_mb = 1000000")
    with (
        connect_as(superuser.info.dsn, CREATOR) as creator,
        pytest.raises(psycopg.errors.CheckViolation, match="files of type document"),
    ):
        add(creator, size, mime_type)


@pytest.mark.parametrize("column", ["bucket", "object_key", "status", "content_sha256", "created_by", "id"])
def test_the_server_decides_where_an_object_is_stored(superuser: Connection, column: str) -> None:
    with (
        connect_as(superuser.info.dsn, CREATOR) as creator,
        pytest.raises(psycopg.errors.InsufficientPrivilege, match="permission denied"),
    ):
        creator.execute(
            "insert into media.media (media_type_id, tenant_id, filename, mime_type, file_size_bytes, "
            f"{column}) select id, '{A}', 'new.pdf', 'application/pdf', 1, null "
            "from media.media_types".encode()
        )


def test_a_part_references_no_file_of_another_tenant_whatever_tenant_the_statement_names(
    superuser: Connection,
) -> None:
    item = superuser.execute(
        "insert into content.items (repository_id, content_type, tenant_id, title) "
        "select id, 'document', %s, 'New' from content.repositories where code = 'documents' returning id",
        [A],
    ).fetchone()
    assert item is not None
    with pytest.raises(psycopg.errors.ForeignKeyViolation, match="the file does not exist"):
        superuser.execute(
            "insert into content.documents (item_id, tenant_id, media_id) "
            "select %s, tenant_id, id from media.media where filename = 'shared in B.pdf'",
            item,
        )
