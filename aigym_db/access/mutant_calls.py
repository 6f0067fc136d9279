"""Test mutants of functions with the call cells whose functions reach the mutated one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

import psycopg

from aigym_db.access.call_graph import CallGraph, Node
from aigym_db.access.calls import CallTrial
from aigym_db.access.distribution import distribute
from aigym_db.access.mutations import Mutation
from aigym_db.database.migration_session import Connection
from aigym_db.database.queries import query
from aigym_db.model.access import CallOutcome

_LIKELY = 8
"""Number of calls that killed other mutants and are executed first."""
_FIRST, _GROWTH = 4, 4
"""The size of the first batch of calls, and the growth of the batches: most mutants are killed early."""
_REACHING = 24
"""Maximum number of calls whose effect on the reach of actors is compared."""


class CallTest:
    """The calls that match without a mutant; used by several threads."""

    def __init__(self, trial: CallTrial, outcomes: Iterable[CallOutcome], graph: CallGraph) -> None:
        """`outcomes` are those of `trial.outcomes()`."""
        self.trial = trial
        self._ids = [
            index
            for index, (call, outcome) in enumerate(zip(trial.calls, outcomes, strict=True))
            if call.body and outcome.ok
        ]
        self._executed = _coverage(trial, graph, self._ids)
        self._killers: dict[int | None, dict[int, None]] = {}
        self._direct: dict[int | None, list[int]] = {}
        named = {name: graph.named(name) for name in trial.matrix.functions}
        repeated = Counter[tuple[str, str, str]]()
        self._repetitions: dict[int, int] = {}
        for index in self._ids:
            cell = trial.calls[index].cell
            kind = (cell.function, cell.call, cell.expected.text)
            self._repetitions[index] = repeated[kind]
            for oid in named[cell.function]:
                self._direct.setdefault(oid, []).append(index)
            repeated[kind] += 1
        for direct in self._direct.values():
            direct.sort(key=lambda index: (self._repetitions[index], index))

    def direct_killer(self, connection: Connection, mutation: Mutation) -> tuple[str | None, str | None]:
        """Do the same as `killer` with the calls of the function itself only."""
        ids = dict.fromkeys((*self._likely(mutation.function), *self._direct.get(mutation.function, ())))
        return self._killer(connection, mutation, [*_batches(list(ids))])

    def killer(self, connection: Connection, mutation: Mutation) -> tuple[str | None, str | None]:
        """Apply the mutant, execute its calls and roll back; return the killing cell, or the error."""
        return self._killer(connection, mutation, [*_batches(self.candidates(mutation.function))], reach=True)

    def _killer(
        self, connection: Connection, mutation: Mutation, batches: list[Sequence[int]], *, reach: bool = False
    ) -> tuple[str | None, str | None]:
        if not batches:
            return None, None
        with connection.transaction(force_rollback=True):
            try:
                connection.execute(mutation.mutant.ddl.encode())
            except psycopg.Error as error:
                return None, error.diag.message_primary
            for batch in batches:
                if cell := self._first_killer(connection, mutation, batch):
                    return cell, None
            changing = [index for batch in batches for index in batch if self._changes(index)][:_REACHING]
            if (
                reach
                and changing
                and (cell := self._first_killer(connection, mutation, changing, reach=True))
            ):
                return cell, None
        return None, None

    def candidates(self, function: int | None) -> tuple[int, ...]:
        """The calls that execute a function.

        First those that killed other mutants of it, then one of each kind, its own before those of others.
        """
        likely = self._likely(function)
        direct = set(self._direct.get(function, ()))
        executing = {index for index in self._ids if function in self._executed[index]}
        rest = sorted(
            executing.difference(likely),
            key=lambda index: (self._repetitions[index], index not in direct, index),
        )
        return (*likely, *rest)

    def _likely(self, function: int | None) -> list[int]:
        """The latest calls that killed other mutants of a function."""
        return list(self._killers.get(function, {}))[: -_LIKELY - 1 : -1]

    def _changes(self, index: int) -> bool:
        return bool(self.trial.calls[index].cell.expected.changes)

    def _first_killer(
        self, connection: Connection, mutation: Mutation, ids: Sequence[int], *, reach: bool = False
    ) -> str | None:
        for index, outcome in self.trial.run_on(ids, connection, reach=reach):
            if not outcome.ok:
                killers = self._killers.setdefault(mutation.function, {})
                killers.pop(index, None)
                killers[index] = None
                return str(outcome.cell)
        return None


def _batches(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    start, size = 0, _FIRST
    while start < len(ids):
        yield ids[start : start + size]
        start += size
        size *= _GROWTH


def _coverage(trial: CallTrial, graph: CallGraph, ids: Sequence[int]) -> Mapping[int, frozenset[Node]]:
    """By call, the functions that it executes; those that the planner can inline if it reaches them."""
    inlined = {
        oid
        for oid, function in graph.functions.items()
        if function.language == "sql" and not function.definer and not function.sets_path
    }
    called = {name: frozenset(graph.named(name)) for name in trial.matrix.functions}
    contexts = {
        oid: (f"PL/pgSQL function {function.signature} ", f'SQL function "{function.name.partition(".")[2]}"')
        for oid, function in graph.functions.items()
    }
    executed: dict[int, frozenset[Node]] = {}
    known: dict[frozenset[int], frozenset[Node]] = {}

    def run(connection: Connection, share: Sequence[int]) -> list[tuple[int, list[int], str]]:
        connection.execute(query("access/create_call_coverage").encode())
        parameters = {"calls": share, "functions": list(graph.functions)}
        with connection.transaction(force_rollback=True):
            return connection.execute(query("access/call_coverage").encode(), parameters).fetchall()

    count = len(trial.connections)
    shares = distribute(trial.connections, [list(ids[start::count]) for start in range(count)], run)
    for index, functions, context in (row for share in shares for row in share):
        failed = {oid for oid, texts in contexts.items() if any(text in context for text in texts)}
        key = frozenset(functions) | failed | (called[trial.calls[index].cell.function] & inlined)
        if key not in known:
            known[key] = key | (graph.reached(key) & inlined)
        executed[index] = known[key]
    return executed
