"""Digests of the rows of tables, equal for the same fixture whenever it is loaded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import psycopg

from aigym_db.access.dependencies import relation_of
from aigym_db.model.catalog import Catalog
from aigym_db.syntax.quote import literal

Connection = psycopg.Connection[tuple[Any, ...]]

CREATE_LOADS = "create schema aigym_db; create table aigym_db.loads (started_at timestamptz not null)"
"""Creates the table of the times at which rows were loaded: `now()` of each transaction."""
RECORD_LOAD = "insert into aigym_db.loads values (now())"

_TIMES = ("timestamp with time zone", "timestamp without time zone")


def row_digests(connection: Connection, catalog: Catalog) -> Mapping[str, str]:
    """Return a digest of the rows of each table and materialized view, by name; as superuser.

    A time at a whole number of seconds before or after `now()` of a load is part of the digest as this
    interval, other times as they are. A row with `clock_timestamp()` or a random key thus changes the digest
    with each load.
    """
    columns: dict[str, list[tuple[str, str]]] = {}
    for key, facts in sorted(catalog.facts.items()):
        if key.kind == "column":
            relation = relation_of(key, facts)
            columns.setdefault(relation, []).append((key.name[len(relation) + 1 :], facts["type"]))
    queries = [
        f"select {literal(key.name)}, {_digest(columns.get(key.name, []))} from {key.name} as aigym_row"
        for key, facts in catalog.facts.items()
        if key.kind in ("table", "materialized view") and "partition_bound" not in facts
    ]
    queries += [
        f"select {literal(key.name)}, concat(last_value, is_called) from {key.name}"
        for key in catalog.facts
        if key.kind == "sequence"
    ]
    rows = connection.execute(" union all ".join(queries).encode()).fetchall() if queries else []
    return {name: digest for name, digest in rows if digest is not None}


def _digest(columns: list[tuple[str, str]]) -> str:
    """Return the SQL expression of the digest of all rows with these columns, each a name and a type."""
    texts = ", ".join(
        _time(name) if type_ in _TIMES else f"aigym_row.{name}::text" for name, type_ in columns
    )
    return f"""md5(string_agg(row({texts})::text, e'\\n' order by row({texts})::text collate "C"))"""


def _time(name: str) -> str:
    value = f"aigym_row.{name}"
    return (
        f"coalesce((select min(({value} - started_at)::text) from aigym_db.loads where isfinite({value}) "
        f"and mod(extract(microseconds from {value} - started_at)::bigint, 1000000) = 0), {value}::text)"
    )
