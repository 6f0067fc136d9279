"""A file outside a transaction that was cut short, and then touched by somebody."""

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
def half(shop: Any, migrated: str) -> str:
    """The DSN of a database in which 0003 stopped at its second statement."""
    shop.write(HALF, TEXT)
    assert shop("freeze").status == 0
    assert shop("--database", migrated, "migrate").status == 7
    return migrated


def test_status_says_where_it_goes_on(shop: Any, half: str) -> None:
    seen = shop("--database", half, "status")

    assert "pending 0003 more  (partially applied: resumes at statement 2)" in seen.out
    document = shop("--format", "json", "--database", half, "status").document
    assert document["unfinished"] == [
        {"version": 3, "name": "more", "direction": "up", "statements_done": 1, "rows_changed": None}
    ]


def test_one_whose_file_is_gone_is_not_forgotten(shop: Any, half: str) -> None:
    (shop.folder / HALF).unlink()
    lock = shop.folder / "migrations" / "LOCK"
    lock.write_text("".join(lock.read_text().splitlines(keepends=True)[:-1]))

    told = shop("--database", half, "status")
    refused = shop("--database", half, "migrate")

    assert "no file 0003 more  (partially applied: resumes at statement 2)" in told.out
    assert refused.status == 7
    assert "0003 more is partially applied, and its file is not there any more" in refused.err
    assert "create table app.more" in refused.err


def test_a_person_who_has_put_it_back_says_so(shop: Any, half: str) -> None:
    seen = shop("--database", half, "rollback", "--resolve", "done")

    assert (seen.status, seen.err) == (0, "")
    assert "0003 more: marked as rolled back (resolved manually)" in seen.out
    assert "rolled back 0" not in seen.out
    assert "partially applied" not in shop("--database", half, "status").out
