"""Every index of the reference database, with the queries that use it."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.queries.queries import Query
from benchmarks.queries.runs import Superuser, scanned

_INDEXES = """
select
    c.oid::regclass::text as name,
    i.indrelid::regclass::text as table_name,
    i.indisprimary or i.indisunique as enforces,
    (
        select f.conrelid::regclass || ' (' || string_agg(a.attname, ', ' order by k.place) || ')'
            || ' references ' || f.confrelid::regclass
        from pg_constraint as f
        cross join unnest(f.conkey) with ordinality as k (number, place)
        join pg_attribute as a on a.attrelid = f.conrelid and a.attnum = k.number
        where f.contype = 'f'
          and f.conrelid = i.indrelid
          and f.conkey @> array[i.indkey[0]]
        group by f.oid, f.conrelid, f.confrelid
        order by count(*) desc
        limit 1
    ) as foreign_key
from pg_index as i
join pg_class as c on c.oid = i.indexrelid
join pg_namespace as n on n.oid = c.relnamespace
where not c.relispartition
  and n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast', 'auth', 'aigym_db', 'parts')
order by 2, 1
"""


@dataclass(frozen=True, slots=True)
class Index:
    """An index and its use."""

    name: str
    table: str
    enforces: bool
    """The index of a primary key or a unique constraint."""
    foreign_key: str | None
    """The foreign key that it supports, such as `a.b (c_id) references a.c`."""
    queries: tuple[Query, ...]

    @property
    def unused(self) -> bool:
        return not (self.queries or self.enforces or self.foreign_key)

    @property
    def reason(self) -> str:
        if self.queries:
            return ""
        if self.enforces:
            return "enforces uniqueness"
        return (
            f"deletes and updates of the referenced row: {self.foreign_key}" if self.foreign_key else "UNUSED"
        )


def used_indexes(connection: Superuser, queries: tuple[Query, ...], *, sequential: bool) -> tuple[Index, ...]:
    """Return every index with the queries that scan it.

    `sequential` is False for a database whose tables are too small for the planner to prefer an index.
    """
    by_index: dict[str, list[Query]] = {}
    for query in queries:
        for name in scanned(connection, query, sequential=sequential):
            by_index.setdefault(name, []).append(query)
    rows = connection.execute(_INDEXES.encode()).fetchall()
    return tuple(
        Index(
            str(name),
            str(table),
            bool(enforces),
            str(foreign_key) if foreign_key else None,
            tuple(by_index.get(str(name), ())),
        )
        for name, table, enforces, foreign_key in rows
    )
