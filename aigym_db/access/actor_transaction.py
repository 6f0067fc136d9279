"""A transaction in which every actor can act, for tests of what happens over time."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from aigym_db.access.functions import callable_functions
from aigym_db.access.matrix import AccessMatrix
from aigym_db.access.reach import Reach, reach
from aigym_db.database.migration_session import Connection
from aigym_db.model.access import Actor

ReachOfActor = Mapping[str, frozenset[str]]
"""What an actor reaches, by label.

`schema.table` has the keys of the rows that it can select, `schema.table~` and `schema.table-` of those that
it can also update or delete, `schema.name(call)` the values of a function, and `schema.table(held)` its own
rows that functions of policies read. What it does not reach is missing.
"""


class ActorTransaction:
    """A transaction of a superuser, in which statements are executed as actors of the access matrix."""

    def __init__(self, connection: Connection, matrix: AccessMatrix, reach_: Reach) -> None:
        self._connection = connection
        self._matrix = matrix
        self._reach = reach_

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Execute a statement as superuser, and return its rows: what a job does, or the passage of time."""
        return self._rows(sql, parameters)

    def act(
        self, actor: str, sql: str, parameters: Sequence[Any] = (), *, claims: Mapping[str, Any] | None = None
    ) -> list[tuple[Any, ...]]:
        """Execute a statement as an actor, and return its rows.

        `claims` replace some of the actor's: `{"aal": "aal1"}`. Deferred constraints are checked. If
        PostgreSQL raises an error, the statement is rolled back and the psycopg error raised. An unknown
        actor is a KeyError.
        """
        identity = self._actor(actor, claims)
        settings = json.dumps(dict(identity.settings))
        with self._connection.transaction():
            self._connection.execute(
                "select pg_temp.aigym_act_as(%s, %s, %s::jsonb)",
                [identity.role, identity.claims_text, settings],
            )
            rows = self._rows(sql, parameters)
            self._connection.execute("set constraints all immediate")
            self._connection.execute("select set_config('role', 'none', true)")
            self._connection.execute("select pg_temp.aigym_defer_constraints()")
        return rows

    def reach(self, actor: str, *, claims: Mapping[str, Any] | None = None) -> ReachOfActor:
        """Return what an actor reaches now. `claims` replace some of the actor's.

        A role that bypasses row-level security is a ValueError.
        """
        identity = self._actor(actor, claims)
        if self._reach.identity(identity) is None:
            raise ValueError(f"the role of the actor {actor!r} bypasses row-level security")
        reached: dict[str, set[str]] = {}
        for label, value in self._reach.entries(self._connection, identity):
            reached.setdefault(label, set()).add(value)
        return {label: frozenset(values) for label, values in reached.items()}

    def _actor(self, name: str, claims: Mapping[str, Any] | None) -> Actor:
        actor = self._matrix.actors[name]
        return replace(actor, claims={**actor.claims, **(claims or {})})

    def _rows(self, sql: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
        cursor = self._connection.execute(sql.encode(), parameters or None)
        return cursor.fetchall() if cursor.description else []


@contextmanager
def actor_transaction(connection: Connection, matrix: AccessMatrix) -> Iterator[ActorTransaction]:
    """Open a transaction in which every actor can act; roll it back after the block.

    The connection is of a superuser, in autocommit mode.
    """
    with connection.transaction(force_rollback=True):
        connection.execute(
            "select set_config('search_path', '', true), set_config('row_security', 'on', true)"
        )
        reach_ = reach(connection, matrix, callable_functions(connection, matrix))
        reach_.create(connection)
        yield ActorTransaction(connection, matrix, reach_)
