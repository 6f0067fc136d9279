"""content.search_items() returns exactly the items that row-level security shows to the caller."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from aigym_db.access.matrix import read_matrix
from aigym_db.access.test_database import connect_as
from tests.reference.conftest import PROJECT, ReferenceDatabase

ACTORS = {
    actor.name: actor for actor in read_matrix(PROJECT.root).actors.values() if actor.role == "authenticated"
}

Connection = psycopg.Connection[tuple[object, ...]]

ITEMS = """
insert into content.items (
  repository_id, content_type, tenant_id, owner_id, title, description, status, visibility, metadata,
  language_code, deleted_at
)
select
  r.id, r.content_type, t.id, p.id,
  'Item ' || g || ' ' || (array['red', 'green', 'blue'])[1 + g % 3],
  'About ' || (array['sea', 'sky'])[1 + g % 2],
  (array['draft', 'published', 'published', 'review', 'archived', 'published', 'published'])[1 + g % 7],
  (array['private', 'tenant', 'public'])[1 + g / 7 % 3],
  jsonb_build_object('colour', (array['red', 'green', 'blue'])[1 + g % 3], 'level', g % 4),
  (array['en', 'de'])[1 + g % 2],
  case when g % 11 = 0 then now() end
from generate_series(1, 1200) as g
join (select *, row_number() over (order by code) - 1 as place from content.repositories) as r
  on r.place = g % 5
left join (select id, row_number() over (order by id) - 1 as place from iam.tenants) as t on t.place = g % 10
left join (select id, row_number() over (order by id) - 1 as place from iam.profiles) as p
  on p.place = g % 29 and t.id is not null;

insert into content.documents (item_id, body)
select i.id, 'Text about the ' || (array['moon', 'sun'])[1 + length(i.title) % 2]
from content.items as i
where i.content_type = 'document'
  and not exists (select from content.documents as d where d.item_id = i.id);

insert into content.videos (item_id, external_url, transcript)
select
  i.id, 'https://video.example.test/', 'Words about the ' || (array['moon', 'sun'])[1 + length(i.title) % 2]
from content.items as i
where i.content_type = 'video'
  and not exists (select from content.videos as v where v.item_id = i.id);
"""

SEARCH = "select id, rank from content.search_items(page_size => 9, after_rank => %s, after_id => %s, {})"
MATCHING = "search @@ websearch_to_tsquery('simple', '{0}')"
WORDS = "websearch_to_tsquery('simple', '{0}')"
IN_BODIES = f"""(
  search @@ {WORDS}
  or id in (select item_id from content.documents where body_search @@ {WORDS})
  or id in (select item_id from content.videos where transcript_search @@ {WORDS})
)"""
TENANT = "'00000000-0000-4000-8000-00000000b001'"

SEARCHES = {
    "query => 'red'": MATCHING.format("red"),
    "query => 'blue or sky'": MATCHING.format("blue or sky"),
    "query => 'platform'": MATCHING.format("platform"),
    "query => 'moon'": MATCHING.format("moon"),
    "query => 'moon', in_bodies => true": IN_BODIES.format("moon"),
    "query => 'body', in_bodies => true": IN_BODIES.format("body"),
    f"query => 'red', in_tenant => {TENANT}": MATCHING.format("red") + f" and tenant_id = {TENANT}",
    "query => 'green', of_type => 'document'": MATCHING.format("green") + " and content_type = 'document'",
    "query => 'green', with_status => 'draft'": MATCHING.format("green") + " and status = 'draft'",
    "query => 'green', in_language => 'de'": MATCHING.format("green") + " and language_code = 'de'",
    'with_metadata => \'{"colour": "blue"}\'': 'metadata @> \'{"colour": "blue"}\'',
    "query => 'sea', with_metadata => '{\"level\": 2}'": MATCHING.format("sea")
    + " and metadata @> '{\"level\": 2}'",
}


@pytest.fixture(scope="module")
def generated(base: ReferenceDatabase) -> Iterator[str]:
    """The DSN of a database with 1,200 more items of all tenants, people, states and visibilities."""
    with base.database() as dsn:
        with psycopg.connect(dsn) as connection:
            connection.execute(ITEMS.encode())
        yield dsn


def search_ids(connection: Connection, arguments: str) -> list[object]:
    """Return the ids of all pages of a search, in order."""
    ids: list[object] = []
    rank: object = None
    last: object = None
    while page := connection.execute(SEARCH.format(arguments).encode(), [rank, last]).fetchall():
        ids += [row[0] for row in page]
        last, rank = page[-1]
    return ids


@pytest.mark.parametrize("actor", ACTORS)
def test_a_search_returns_exactly_the_rows_that_the_policies_show(generated: str, actor: str) -> None:
    with connect_as(generated, ACTORS[actor]) as connection:
        for arguments, condition in SEARCHES.items():
            rows = connection.execute(f"select id from content.items where {condition}".encode())
            expected = {row[0] for row in rows.fetchall()}

            ids = search_ids(connection, arguments)

            assert set(ids) == expected, arguments
            assert len(ids) == len(expected), arguments


def test_the_searches_find_different_rows_for_different_people(generated: str) -> None:
    counts = {}
    for name in ("stranger", "member", "creator", "editor", "community_admin", "outsider", "suspended"):
        with connect_as(generated, ACTORS[name]) as connection:
            counts[name] = len(search_ids(connection, "query => 'red'"))

    assert counts["suspended"] == 0
    assert 0 < counts["stranger"] < counts["member"] < counts["editor"] < counts["community_admin"]


def test_each_search_returns_rows(generated: str) -> None:
    with connect_as(generated, ACTORS["community_admin"]) as connection:
        empty = [arguments for arguments in SEARCHES if not search_ids(connection, arguments)]

    assert empty == ["query => 'moon'"], "the word is in bodies only"


def test_the_item_with_the_word_in_its_title_comes_first(base: ReferenceDatabase) -> None:
    with base.connection() as connection:
        connection.execute(
            "insert into content.items (repository_id, content_type, title, description, status) "
            "select id, content_type, item.title, item.description, 'published' from content.repositories, "
            "(values ('Other', 'About zebras'), ('Zebras', 'Animals')) as item (title, description) "
            "where code = 'prompts'"
        )
        with connect_as(connection.info.dsn, ACTORS["member"]) as member:
            titles = member.execute("select title from content.search_items('zebras')").fetchall()

    assert titles == [("Zebras",), ("Other",)]


@pytest.mark.parametrize("body", ["abcde", "äöüéè", "𝔞𝔟𝔠𝔡𝔢"])
def test_a_body_of_a_million_different_characters_can_be_indexed(base: ReferenceDatabase, body: str) -> None:
    words = (
        "select string_agg(translate(lpad(to_hex(g), 5, '0'), '0123456789abcdef', %s), ' ')"
        " from generate_series(1, 166000) as g"
    )
    letters = "".join(chr(ord(body[0]) + number) for number in range(16))
    with base.connection() as connection:
        length = connection.execute(
            f"update content.documents set body = ({words}) "
            "where item_id = '00000000-0000-4000-8000-000000001103' returning length(body)",
            [letters],
        ).fetchone()

    assert length is not None
    assert 990_000 < int(str(length[0])) <= 1_000_000


def test_the_rule_is_inlined_so_that_policies_can_use_indexes(base: ReferenceDatabase) -> None:
    with base.connection() as connection, connect_as(connection.info.dsn, ACTORS["member"]) as member:
        plan = member.execute("explain verbose select id from content.items").fetchall()

    assert "can_read" not in str(plan)
