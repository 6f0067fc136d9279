"""Execute a query as its person and measure it, or determine the indexes that it uses."""

from __future__ import annotations

import hashlib
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from psycopg import Connection

from benchmarks.queries.queries import Query

Superuser = Connection[tuple[object, ...]]

_SCANNED = """
with recursive tree as (
    select i.indexrelid as root, i.indexrelid as index
    from pg_index as i
    join pg_class as c on c.oid = i.indexrelid
    where not c.relispartition
    union all
    select tree.root, h.inhrelid
    from tree
    join pg_inherits as h on h.inhparent = tree.index
)
select root::regclass::text
from tree
join pg_class as c on c.oid = root
join pg_namespace as n on n.oid = c.relnamespace and n.nspname not in ('pg_catalog', 'pg_toast')
group by root
having sum(pg_stat_get_xact_numscans(index)) > 0
"""


@contextmanager
def acting(connection: Superuser, query: Query, *, as_owner: bool = False) -> Iterator[None]:
    """Act as the person of the query, or as the owner of the tables, in a transaction that is rolled back."""
    with connection.transaction(force_rollback=True):
        connection.execute("set local row_security = on")
        if as_owner:
            connection.execute("set local role aigym_owner")
        else:
            connection.execute("select set_config('role', %s, true)", [query.role])
            if query.person:
                claims = query.claims.replace("{id}", person_id(query.person))
                connection.execute("select set_config('request.jwt.claims', %s, true)", [claims])
        yield


def person_id(person: str) -> str:
    """Return the id that load.sql gives a person: the MD5 of the name as a UUID."""
    return str(uuid.UUID(hashlib.md5(person.encode(), usedforsecurity=False).hexdigest()))


def run_ms(connection: Superuser, query: Query, *, as_owner: bool = False) -> float:
    """Return the milliseconds of one execution with its rows, without the start of the transaction."""
    sql = query.owner_sql if as_owner and query.owner_sql else query.sql
    with acting(connection, query, as_owner=as_owner):
        start_s = time.perf_counter()
        connection.execute(sql.encode()).fetchall()
        return (time.perf_counter() - start_s) * 1000


def rows(connection: Superuser, query: Query) -> int:
    """Return the number of rows that the person gets."""
    with acting(connection, query):
        return connection.execute(query.sql.encode()).rowcount


def scanned(connection: Superuser, query: Query, *, sequential: bool = True) -> set[str]:
    """Return the indexes that one execution scans, also inside functions and foreign-key checks.

    With `sequential=False` the planner avoids sequential scans: in small tables it prefers them to any index.
    """
    with acting(connection, query):
        if not sequential:
            connection.execute("set local enable_seqscan = off")
            connection.execute("discard plans")
        connection.execute(query.sql.encode()).fetchall()
        connection.execute("reset role")
        return {str(name) for (name,) in connection.execute(_SCANNED.encode())}
