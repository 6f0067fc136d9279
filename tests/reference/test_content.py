"""Content and files: typed parts, publication, denials, storage, and what is deleted with what."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import psycopg
import pytest

from aigym_db.access.matrix import read_matrix
from aigym_db.access.test_database import connect_as
from tests.reference.conftest import PROJECT, WAITING, ReferenceDatabase
from tests.support.waiting import wait_for_row

MATRIX = read_matrix(PROJECT.root)

Connection = psycopg.Connection[tuple[object, ...]]

A = "00000000-0000-4000-8000-00000000b001"
EDITOR = "00000000-0000-4000-8000-00000000a024"
CREATOR = "00000000-0000-4000-8000-00000000a011"
ADMIN = "00000000-0000-4000-8000-00000000a002"
DOCUMENT = "00000000-0000-4000-8000-000000001103"
DRAFT = "00000000-0000-4000-8000-000000001106"
DELETED = "00000000-0000-4000-8000-000000001109"
OTHERS_DRAFT = "00000000-0000-4000-8000-000000001110"
FOLDER, INNER = "00000000-0000-4000-8000-00000000f101", "00000000-0000-4000-8000-00000000f102"
FILE = "00000000-0000-4000-8000-00000000e102"
PARTS = ("ai_agents", "videos", "documents", "prompts", "automations")

DIFFERENT = " union all ".join(
    f"select item_id from content.{part} as p join content.items as i on i.id = p.item_id "
    "where (p.tenant_id, p.owner_id, p.audience) is distinct from (i.tenant_id, i.owner_id, i.audience)"
    for part in PARTS
)


@pytest.fixture
def dsn(base: ReferenceDatabase) -> Iterator[str]:
    """A database of its own with the test rows."""
    with base.database() as opened:
        yield opened


@pytest.fixture
def superuser(dsn: str) -> Iterator[Connection]:
    """A superuser's connection."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        yield connection


def denied(dsn: str, actor: str, statement: str, *, keep: bool = True) -> bool:
    """Return True if a statement of the actor is rejected, affects no row or returns false.

    It is rolled back unless `keep` is set.
    """
    with connect_as(dsn, MATRIX.actors[actor]) as connection:
        try:
            with connection.transaction(force_rollback=not keep):
                cursor = connection.execute(statement.encode())
                if cursor.description is None:
                    return cursor.rowcount == 0
                return cursor.fetchone() in (None, (False,))
        except psycopg.errors.InsufficientPrivilege:
            return True


@pytest.mark.parametrize(
    "change",
    [
        "status = 'archived'",
        "status = 'draft', published_at = null",
        "visibility = 'public'",
        "owner_id = null",
        f"owner_id = '{EDITOR}'",
        "tenant_id = '00000000-0000-4000-8000-00000000b002', folder_id = null",
        "deleted_at = now()",
        "deleted_at = null",
    ],
)
def test_a_typed_part_has_tenant_owner_and_audience_of_its_item(superuser: Connection, change: str) -> None:
    assert superuser.execute(DIFFERENT.encode()).fetchall() == []

    changed = superuser.execute(
        f"update content.items set {change} where tenant_id is not null".encode()
    ).rowcount

    assert changed > 10
    assert superuser.execute(DIFFERENT.encode()).fetchall() == []


@pytest.mark.parametrize("part", PARTS)
def test_root_columns_of_a_typed_part_cannot_be_forged(superuser: Connection, part: str) -> None:
    superuser.execute(
        f"update content.{part} set tenant_id = null, owner_id = '{EDITOR}', audience = 'everyone'".encode()
    )

    assert superuser.execute(DIFFERENT.encode()).fetchall() == []


def test_a_part_inserted_while_its_item_changes_gets_the_new_values(dsn: str, superuser: Connection) -> None:
    superuser.execute("delete from content.documents where item_id = %s", [DRAFT])
    with psycopg.connect(dsn) as first:
        first.execute("insert into content.documents (item_id, body) values (%s, 'New.')", [DRAFT])
        publish = threading.Thread(
            target=lambda: superuser.execute(
                "update content.items set status = 'published' where id = %s", [DRAFT]
            )
        )
        publish.start()
        with psycopg.connect(dsn, autocommit=True) as watcher:
            wait_for_row(watcher, WAITING)
        first.commit()
    publish.join(30)

    audience = superuser.execute(
        "select audience from content.documents where item_id = %s", [DRAFT]
    ).fetchone()
    assert audience == ("members",)
    assert superuser.execute(DIFFERENT.encode()).fetchall() == []


PUBLISHED = {
    "ai_agents": ("00000000-0000-4000-8000-000000001101", "system_prompt", "personality"),
    "videos": ("00000000-0000-4000-8000-000000001102", "external_url", "transcript"),
    "documents": ("00000000-0000-4000-8000-000000001103", "body", "body"),
    "prompts": ("00000000-0000-4000-8000-000000001104", "template", "template"),
    "automations": ("00000000-0000-4000-8000-000000001105", "trigger_type", "event_type"),
}
"""By typed table: a published item of the creator, a required and a changed column of the part."""


@pytest.mark.parametrize("status", ["approved", "published"])
@pytest.mark.parametrize("part", PARTS)
def test_an_approved_or_published_item_is_changed_with_the_permission_only(
    dsn: str, superuser: Connection, part: str, status: str
) -> None:
    item, required, column = PUBLISHED[part]
    valid = {"external_url": "https://video.example.test", "trigger_type": "event"}.get(required, "New")
    changes = (
        f"update content.items set title = 'New' where id = '{item}'",
        f"update content.items set visibility = 'public' where id = '{item}'",
        f"update content.{part} set {column} = '{valid if column == required else 'New'}' "
        f"where item_id = '{item}'",
        f"delete from content.{part} where item_id = '{item}'",
        f"insert into content.{part} (item_id, {required}) values ('{item}', '{valid}')",
        f"select core.soft_delete('content.items', '{item}')",
    )
    superuser.execute("update content.items set status = %s where id = %s", [status, item])
    if part == "automations":
        superuser.execute("update content.automations set trigger_type = 'event'")

    def results(actor: str) -> list[bool]:
        return [denied(dsn, actor, change, keep=change.startswith("delete")) for change in changes]

    assert [denied(dsn, "creator", change) for change in changes[:4]] == [True] * 4
    superuser.execute(changes[3].encode())
    assert [denied(dsn, "creator", change) for change in changes[4:]] == [True] * 2
    superuser.execute(changes[4].encode())
    assert results("editor") == [False] * 6

    superuser.execute(changes[4].encode())
    withdrawn = f"update content.items set status = 'draft' where id = '{item}'"
    assert denied(dsn, "creator", withdrawn) == (status == "published")
    assert not denied(dsn, "editor", withdrawn)
    assert results("creator") == [False] * 6


def test_the_status_of_an_item_that_is_not_readable_is_not_disclosed(dsn: str, superuser: Connection) -> None:
    messages = []
    for status in ("approved", "draft"):
        superuser.execute("update content.items set status = %s where id = %s", [status, DOCUMENT])
        with (
            connect_as(dsn, MATRIX.actors["stranger"]) as stranger,
            pytest.raises(psycopg.errors.InsufficientPrivilege) as error,
        ):
            stranger.execute("insert into content.documents (item_id, body) values (%s, 'New')", [DOCUMENT])
        messages.append(error.value.diag.message_primary)

    assert messages[0] == messages[1]


def test_a_change_of_an_item_that_is_approved_at_the_same_time_is_rejected(
    dsn: str, superuser: Connection
) -> None:
    outcome: list[bool] = []
    with psycopg.connect(dsn) as approval:
        approval.execute("update content.items set status = 'approved' where id = %s", [DRAFT])
        change = threading.Thread(
            target=lambda: outcome.append(
                denied(dsn, "creator", f"update content.documents set body = 'New' where item_id = '{DRAFT}'")
            )
        )
        change.start()
        wait_for_row(superuser, WAITING)
        approval.commit()
    change.join(30)

    assert outcome == [True]


def test_the_author_does_not_delete_an_item_that_is_approved_at_the_same_time(
    dsn: str, superuser: Connection
) -> None:
    outcome: list[bool] = []
    with psycopg.connect(dsn) as approval:
        approval.execute("update content.items set status = 'approved' where id = %s", [DRAFT])
        deletion = threading.Thread(
            target=lambda: outcome.append(
                denied(dsn, "creator", f"select core.soft_delete('content.items', '{DRAFT}')")
            )
        )
        deletion.start()
        wait_for_row(superuser, WAITING)
        approval.commit()
    deletion.join(30)

    assert outcome == [True]


def test_a_part_is_changed_while_its_item_is_changed_and_published(dsn: str) -> None:
    with psycopg.connect(dsn) as editor:
        editor.execute("update content.items set title = 'New' where id = %s", [DRAFT])
        assert not denied(
            dsn, "creator", f"update content.documents set body = 'New' where item_id = '{DRAFT}'"
        )
        editor.execute("update content.items set status = 'published' where id = %s", [DRAFT])


def test_a_trigger_of_the_author_does_not_publish(dsn: str) -> None:
    with connect_as(dsn, MATRIX.actors["creator"]) as creator:
        creator.execute("create temporary table t (x integer)")
        creator.execute(
            "create function pg_temp.publish() returns trigger language plpgsql as $$ begin "
            f"update content.items set status = 'published' where id = '{DRAFT}'; return null; end $$"
        )
        creator.execute(
            "create trigger publish after insert on t for each row execute function pg_temp.publish()"
        )
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match=r"content\.publish"):
            creator.execute("insert into t values (1)")


def test_the_server_records_publication_and_counts_editions(dsn: str, superuser: Connection) -> None:
    columns = "status, version, published_by, published_at is not null, archived_at is not null"
    with connect_as(dsn, MATRIX.actors["editor"]) as editor:
        states = [
            editor.execute(
                f"update content.items set status = '{status}' where id = '{DRAFT}' "
                f"returning {columns}".encode()
            ).fetchone()
            for status in ("published", "draft", "published", "archived", "draft")
        ]
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            editor.execute(f"update content.items set version = 9 where id = '{DRAFT}'".encode())

    assert [state and (state[0], state[1], str(state[2]), state[3], state[4]) for state in states] == [
        ("published", 1, EDITOR, True, False),
        ("draft", 2, "None", False, False),
        ("published", 2, EDITOR, True, False),
        ("archived", 2, EDITOR, True, True),
        ("draft", 3, "None", False, False),
    ]


@pytest.mark.parametrize("above", [FOLDER, INNER])
def test_a_folder_cannot_be_its_own_ancestor(superuser: Connection, above: str) -> None:
    with pytest.raises(psycopg.errors.CheckViolation, match="cannot be its own ancestor"):
        superuser.execute("update content.folders set parent_id = %s where id = %s", [above, FOLDER])


ACTIONS = {
    "content.create": "insert into content.items (repository_id, content_type, tenant_id, title) "
    f"select id, content_type, '{A}', 'New' from content.repositories where code = 'prompts'",
    "content.edit": f"update content.items set title = 'New' where id = '{OTHERS_DRAFT}'",
    "content.publish": f"update content.items set status = 'published' where id = '{OTHERS_DRAFT}'",
    "content.delete": f"select core.soft_delete('content.items', '{OTHERS_DRAFT}')",
    "content.delete (folder)": f"select core.soft_delete('content.folders', '{FOLDER}')",
    "content.delete (restore)": f"select core.restore('content.items', '{DELETED}')",
    "media.create": "insert into media.media "
    "(media_type_id, tenant_id, filename, mime_type, file_size_bytes) "
    f"select id, '{A}', 'a.pdf', 'application/pdf', 10 from media.media_types where code = 'document'",
    "media.edit": f"update media.media set alt_text = 'New' where id = '{FILE}'",
    "media.delete": f"select core.soft_delete('media.media', '{FILE}')",
}


@pytest.mark.parametrize("action", ACTIONS)
def test_a_denied_permission_stops_its_action(dsn: str, superuser: Connection, action: str) -> None:
    assert not denied(dsn, "community_admin", ACTIONS[action], keep=False)

    superuser.execute(
        "insert into iam.permission_grants (user_id, permission_id, tenant_id, effect) "
        "select %s, id, %s, 'deny' from iam.permissions where code = %s",
        [ADMIN, A, action.split(" ", maxsplit=1)[0]],
    )

    assert denied(dsn, "community_admin", ACTIONS[action])


def test_a_person_who_left_reads_nothing_of_the_tenant(dsn: str, superuser: Connection) -> None:
    mine = (
        f"select id from {{}} where tenant_id = '{A}' and owner_id = '{CREATOR}' and visibility <> 'public'"
    )
    with connect_as(dsn, MATRIX.actors["creator"]) as creator:
        before = [creator.execute(mine.format(t).encode()).rowcount for t in ("content.items", "media.media")]
        superuser.execute(
            "update iam.memberships set status = 'terminated' where tenant_id = %s and user_id = %s",
            [A, CREATOR],
        )
        after = [creator.execute(mine.format(t).encode()).rowcount for t in ("content.items", "media.media")]
        parts = creator.execute("select item_id from content.documents where owner_id = auth.uid()").rowcount
        public = creator.execute("select id from content.items where owner_id = auth.uid()").rowcount

    assert min(before) > 0
    assert after == [0, 0]
    assert (parts, public) == (1, 2)


@pytest.mark.parametrize("status", ["suspended", "closing"])
def test_public_rows_of_a_closed_tenant_are_closed(dsn: str, superuser: Connection, status: str) -> None:
    counts = "select (select count(*) from content.items where tenant_id = %s), "
    counts += "(select count(*) from media.media where tenant_id = %s)"
    with connect_as(dsn, MATRIX.actors["stranger"]) as stranger:
        before = stranger.execute(counts.encode(), [A, A]).fetchone()
        superuser.execute("update iam.tenants set status = %s where id = %s", [status, A])
        after = stranger.execute(counts.encode(), [A, A]).fetchone()

    assert before == (2, 1)
    assert after == (0, 0)


def test_a_deleted_folder_takes_its_contents_and_gives_them_back(dsn: str, superuser: Connection) -> None:
    live = "select array(select title from content.items where folder_id = any (%s) and is_active order by 1)"
    with connect_as(dsn, MATRIX.actors["editor"]) as editor:
        editor.execute(f"select core.soft_delete('content.items', '{DRAFT}')".encode())
        editor.execute(f"select core.soft_delete('content.folders', '{FOLDER}')".encode())
        deleted = superuser.execute(live.encode(), [[FOLDER, INNER]]).fetchone()
        with pytest.raises(psycopg.errors.ForeignKeyViolation):
            editor.execute(
                "insert into content.items (repository_id, content_type, tenant_id, folder_id, title) "
                f"select id, content_type, '{A}', '{INNER}', 'x' from content.repositories "
                "where code = 'documents'"
            )
        editor.execute(f"select core.restore('content.folders', '{FOLDER}')".encode())
        restored = superuser.execute(live.encode(), [[FOLDER, INNER]]).fetchone()

    assert deleted == ([],)
    assert restored == (["Document A"],), "what was deleted before remains deleted"
