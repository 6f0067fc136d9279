"""Test mutants of policies and functions: at least one cell must differ."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from queue import Empty, SimpleQueue

from aigym_db.access.attempts import AttemptStatement
from aigym_db.access.equivalents import Equivalents
from aigym_db.access.fixture import writable
from aigym_db.access.mutations import AccessRules, Mutation, read_access_rules
from aigym_db.access.trial import Connection, Trial
from aigym_db.database.queries import query
from aigym_db.model.access import Mutant, Survivor

_LIKELY = 30
"""Number of statements that killed other mutants and are executed first."""


@dataclass(frozen=True, slots=True)
class MutationReport:
    """The result of testing the mutants."""

    killed: Mapping[str, str]
    """Mutant to the cell that killed it."""
    survivors: tuple[Survivor, ...]
    failed: Mapping[str, str]
    """Mutants that PostgreSQL rejected, with its message."""

    @property
    def rate(self) -> float:
        """Killed of all that make a difference, 0 to 1."""
        open_ = sum(1 for survivor in self.survivors if not survivor.equivalent)
        return len(self.killed) / (len(self.killed) + open_) if self.killed or open_ else 1.0


def mutate(
    trial: Trial,
    equivalents: Equivalents,
    *,
    tables: Collection[str] | None = None,
    progress: Callable[[Mutant], object] = lambda _: None,
) -> MutationReport:
    """Test every mutant of the database, one at a time.

    Each connection of the trial must be to its own clone.

    Statements that differ without a mutation are not used. With `tables`, only mutants of their policies are
    tested, without the list of equivalents. Raise BadAccessMatrix (AIG-P012) if an entry of that list is no
    surviving mutant.
    """
    wanted = None if tables is None else frozenset(tables)
    found = read_access_rules(trial.connections[0])
    mutations = [one for one in found.mutations(trial.tables) if wanted is None or one.mutant.table in wanted]
    candidates = _Candidates(
        _matching_statements(trial, found, {table for one in mutations for table in one.touches})
    )
    queue: SimpleQueue[Mutation] = SimpleQueue()
    for one in mutations:
        queue.put(one)
    with ThreadPoolExecutor(len(trial.connections)) as pool:
        shares = pool.map(
            lambda connection: [*_test_mutations(trial, connection, queue, candidates, progress)],
            trial.connections,
        )
        tried = [one for share in shares for one in share]
    order = {one.mutant.id: index for index, one in enumerate(mutations)}
    tried.sort(key=lambda one: order[one[0].id])
    killed = {mutant.id: noticed for mutant, noticed, _ in tried if noticed is not None}
    failed = {mutant.id: message for mutant, _, message in tried if message is not None}
    left = [mutant for mutant, noticed, message in tried if noticed is None and message is None]
    reasons = {one.mutant.id: one.equivalent for one in mutations}
    if wanted is None:
        reasons |= equivalents.reasons([mutant.id for mutant in left], killed)
    return MutationReport(
        killed, tuple(Survivor(mutant, reasons.get(mutant.id, "")) for mutant in left), failed
    )


def _test_mutations(
    trial: Trial,
    connection: Connection,
    queue: SimpleQueue[Mutation],
    candidates: _Candidates,
    progress: Callable[[Mutant], object],
) -> Iterator[tuple[Mutant, str | None, str | None]]:
    """Test mutants until the queue is empty; per mutant the cell that killed it, or the error of its DDL."""
    while True:
        try:
            one = queue.get_nowait()
        except Empty:
            return
        asked = {"ddl": one.mutant.ddl, "likely": candidates.likely(one), "attempts": candidates.all(one)}
        with connection.transaction(force_rollback=True):
            row = connection.execute(query("access/mutate").encode(), asked).fetchone()
        noticed, message = row if row else (None, None)
        if noticed is not None:
            candidates.noticed(one, trial.statements[noticed])
        yield one.mutant, None if noticed is None else str(trial.statements[noticed].cell), message
        progress(one.mutant)


class _Candidates:
    """The statements that can kill a mutant, as array literals; used by several threads."""

    def __init__(self, good: Mapping[str, tuple[AttemptStatement, ...]]) -> None:
        self._good = good
        self._all: dict[tuple[tuple[str, str], ...], str] = {}
        self._noticed: dict[str, dict[int, AttemptStatement]] = {}

    def all(self, one: Mutation) -> str:
        """Every statement that could."""
        key = tuple(one.touches.items())
        if key not in self._all:
            self._all[key] = _array(
                statement.id
                for table, command in key
                for statement in self._good.get(table, ())
                if _may_kill(statement, command)
            )
        return self._all[key]

    def likely(self, one: Mutation) -> str:
        """Those that killed other mutants of the same table or function, the latest ones."""
        known = list(self._noticed.get(_subject(one), {}).values())[-_LIKELY:]
        return _array(
            statement.id
            for statement in known
            if _may_kill(statement, one.touches.get(statement.cell.table, ""))
        )

    def noticed(self, one: Mutation, statement: AttemptStatement) -> None:
        """Remembers that this statement noticed a mutant."""
        known = self._noticed.setdefault(_subject(one), {})
        known.pop(statement.id, None)
        known[statement.id] = statement


def _subject(one: Mutation) -> str:
    return one.mutant.table or one.mutant.id.partition(":")[0]


def _array(ids: Iterable[int]) -> str:
    return "{" + ",".join(map(str, sorted(ids))) + "}"


def _matching_statements(
    trial: Trial, found: AccessRules, tables: set[str]
) -> Mapping[str, tuple[AttemptStatement, ...]]:
    """By table, the statements that match and are subject to policies.

    Of inserted rows that policies cannot distinguish, one is used.
    """
    alike = {name: _alike(trial, found, name) for name in tables if name in trial.fixtures}
    good: dict[str, list[AttemptStatement]] = {}
    seen: set[tuple[str, str, tuple[str | None, ...]]] = set()
    for reply in trial.run(tables):
        statement = reply.statement
        table, actor = statement.cell.table, trial.matrix.actors[statement.cell.actor]
        if trial.tables[table].grants[actor.role].bypasses or reply.actual != frozenset(statement.expected):
            continue
        if statement.way == "forged" and statement.success:
            same = (table, actor.name, alike[table][statement.success[0]])
            if same in seen:
                continue
            seen.add(same)
        good.setdefault(table, []).append(statement)
    return {table: tuple(jobs) for table, jobs in good.items()}


def _alike(trial: Trial, found: AccessRules, name: str) -> Mapping[str, tuple[str | None, ...]]:
    """By key of a row, what policies see of it when it is inserted: rows with the same fare alike.

    A row of a table that functions read can matter in other ways: there each counts.
    """
    asks = [one for one in found.policies if one.table == name and one.command in ("insert", "all")]
    read = {column for policy in asks for column in policy.columns}
    if any(name in policy.reads for policy in found.policies) or found.functions_read(name):
        read = set(trial.tables[name].columns)
    places = [index for index, column in enumerate(writable(trial.tables[name])) if column in read]
    return {row.key: tuple(row.values[index] for index in places) for row in trial.fixtures[name].rows}


def _may_kill(statement: AttemptStatement, command: str) -> bool:
    """Whether a policy for this command affects the statement."""
    if command == "all":
        return True
    if command == "select":
        return statement.way in ("look", "sighted")
    if command == "update":
        return statement.cell.command in ("update", "reassign")
    return statement.cell.command == command
