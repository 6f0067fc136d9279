"""Digests of the rows of tables, equal for the same fixture whenever it is loaded."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping

from aigym_db.access.relation_facts import relation_of
from aigym_db.database.migration_session import Connection
from aigym_db.model.catalog import Catalog
from aigym_db.syntax.quote import literal

CREATE_LOADS = "create schema aigym_db; create table aigym_db.loads (started_at timestamptz not null)"
"""Creates the table of the times at which rows were loaded: `now()` of each transaction."""
RECORD_LOAD = "insert into aigym_db.loads values (now())"

_TIMES = ("timestamp with time zone", "timestamp without time zone")
_TRANSACTION_IDS = ("xid", "xid8")
_GENERATED = re.compile(
    r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d\.\d+", re.IGNORECASE
)
"""UUIDs and times with fractions of a second."""


def row_digests(connection: Connection, catalog: Catalog, sources: str) -> Mapping[str, str]:
    """Return a digest of the rows of each table and materialized view, by name; as superuser.

    A time at a whole number of seconds before or after `now()` of a load is part of the digest as this
    interval. UUIDs and other times that `sources`, the text that the rows are made from, does not contain are
    generated: each load has others. They are left out, and `sources` is part of the digest instead, as for
    ids of transactions.
    """
    columns: dict[str, list[tuple[str, str]]] = {}
    for key, facts in sorted(catalog.facts.items()):
        if key.kind == "column":
            relation = relation_of(key, facts)
            columns.setdefault(relation, []).append((key.name[len(relation) + 1 :], facts["type"]))
    queries = [
        f"select {literal(key.name)}, array_agg({_text(columns.get(key.name, []))}) "
        f"from {key.name} as aigym_row"
        for key, facts in catalog.facts.items()
        if key.kind in ("table", "materialized view") and "partition_bound" not in facts
    ]
    queries += [
        f"select {literal(key.name)}, array[concat(last_value, is_called)] from {key.name}"
        for key in catalog.facts
        if key.kind == "sequence"
    ]
    rows = connection.execute(" union all ".join(queries).encode()).fetchall() if queries else []
    written = {value.lower() for value in _GENERATED.findall(sources)}
    digests = {}
    for name, texts in rows:
        kept = sorted(
            _GENERATED.sub(lambda match: match[0] if match[0].lower() in written else "", text)
            for text in texts or ()
        )
        complete = kept == sorted(texts or ()) and not any(
            type_ in _TRANSACTION_IDS for _, type_ in columns.get(name, ())
        )
        digests[name] = _digest(kept, "" if complete else sources)
    return digests


def _text(columns: list[tuple[str, str]]) -> str:
    """Return the SQL expression of the text of a row with these columns, each a name and a type."""
    return f"row({', '.join(_value(f'aigym_row.{name}', type_) for name, type_ in columns)})::text"


def _value(column: str, type_: str) -> str:
    if type_ in _TRANSACTION_IDS:
        return "null"
    if type_ not in _TIMES:
        return f"{column}::text"
    return (
        f"coalesce((select min(({column} - started_at)::text) from aigym_db.loads where isfinite({column}) "
        f"and mod(extract(microseconds from {column} - started_at)::bigint, 1000000) = 0), {column}::text)"
    )


def _digest(rows: list[str], sources: str) -> str:
    return hashlib.sha256(repr([rows, sources]).encode()).hexdigest()
