"""An interrupted non-transactional file that was edited afterwards."""

from __future__ import annotations

from typing import Any

import pytest

HALF = "migrations/0003_more.sql"
TEXT = """-- 0003 more

-- migrate:up transaction:false
create table app.more (id int);
alter table app.more add column y int, add column y int;

-- migrate:down
drop table app.more;
"""


@pytest.fixture
def partial(shop: Any, migrated: str) -> str:
    """The DSN of a database in which 0003 stopped at its second statement."""
    shop.write(HALF, TEXT)
    assert shop("freeze").status == 0
    assert shop("--database", migrated, "migrate").status == 7
    return migrated


def test_status_shows_the_statement_to_resume(shop: Any, partial: str) -> None:
    seen = shop("--database", partial, "status")

    assert "pending 0003 more  (partially applied: resumes at statement 2)" in seen.out
    document = shop("--format", "json", "--database", partial, "status").document
    assert document["unfinished"] == [
        {"version": 3, "name": "more", "direction": "up", "statements_done": 1, "rows_changed": None}
    ]


def test_a_partially_applied_migration_without_a_file_is_reported(shop: Any, partial: str) -> None:
    (shop.folder / HALF).unlink()
    lock = shop.folder / "migrations" / "LOCK"
    lock.write_text("".join(lock.read_text().splitlines(keepends=True)[:-1]))

    listed = shop("--database", partial, "status")
    rejected = shop("--database", partial, "migrate")

    assert "no file 0003 more  (partially applied: resumes at statement 2)" in listed.out
    assert rejected.status == 7
    assert "0003 more is partially applied, and its file is missing" in rejected.err
    assert "create table app.more" in rejected.err


def test_a_migration_reversed_by_hand_is_resolved(shop: Any, partial: str) -> None:
    seen = shop("--database", partial, "rollback", "--resolve", "done")

    assert (seen.status, seen.err) == (0, "")
    assert "0003 more: marked as rolled back (resolved manually)" in seen.out
    assert "rolled back 0" not in seen.out
    assert "partially applied" not in shop("--database", partial, "status").out
