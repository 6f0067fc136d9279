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
from aigym_db.access.outcomes import AttemptResult
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
        """The share of killed mutants in all that are not equivalent, from 0 to 1; 1 without mutants."""
        open_ = sum(1 for survivor in self.survivors if not survivor.equivalent)
        return len(self.killed) / (len(self.killed) + open_) if self.killed or open_ else 1.0


def mutate(
    trial: Trial,
    equivalents: Equivalents,
    *,
    results: Iterable[AttemptResult] | None = None,
    tables: Collection[str] | None = None,
    progress: Callable[[Mutant], object] = lambda _: None,
) -> MutationReport:
    """Apply every mutant of the database, one at a time per connection, and test the cells that can kill it.

    Everything is rolled back. Each connection of the trial must be to its own clone. Cells that differ
    without a mutant are not used; `results` are those of `trial.run()`, which is executed if they are not
    given. `progress` is called with each tested mutant. With `tables`, only mutants of their policies are
    tested. Raise BadAccessMatrix (AIG-P012) if an entry of `equivalents` matches a killed mutant or no mutant
    of the database.
    """
    selected = None if tables is None else frozenset(tables)
    rules = read_access_rules(trial.connections[0])
    known = tuple(rules.mutations(trial.tables))
    mutations = [mutation for mutation in known if selected is None or mutation.mutant.table in selected]
    candidates = _Candidates(
        _matching_statements(
            trial, rules, {table for mutation in mutations for table in mutation.touches}, results
        )
    )
    queue: SimpleQueue[Mutation] = SimpleQueue()
    for mutation in mutations:
        queue.put(mutation)
    with ThreadPoolExecutor(len(trial.connections)) as pool:
        shares = pool.map(
            lambda connection: [*_test_mutations(trial, connection, queue, candidates, progress)],
            trial.connections,
        )
        tested = [result for share in shares for result in share]
    order = {mutation.mutant.id: index for index, mutation in enumerate(mutations)}
    tested.sort(key=lambda result: order[result[0].id])
    killed = {mutant.id: cell for mutant, cell, _ in tested if cell is not None}
    failed = {mutant.id: message for mutant, _, message in tested if message is not None}
    surviving = [mutant for mutant, cell, message in tested if cell is None and message is None]
    reasons = {mutation.mutant.id: mutation.equivalent for mutation in mutations}
    untested = {mutation.mutant.id for mutation in known} - {mutation.mutant.id for mutation in mutations}
    reasons |= equivalents.reasons([mutant.id for mutant in surviving], killed, untested)
    return MutationReport(
        killed, tuple(Survivor(mutant, reasons.get(mutant.id, "")) for mutant in surviving), failed
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
            mutation = queue.get_nowait()
        except Empty:
            return
        parameters = {
            "ddl": mutation.mutant.ddl,
            "likely": candidates.likely(mutation),
            "attempts": candidates.all(mutation),
        }
        with connection.transaction(force_rollback=True):
            row = connection.execute(query("access/mutate").encode(), parameters).fetchone()
        killer, message = row if row else (None, None)
        if killer is not None:
            candidates.record_kill(mutation, trial.statements[killer])
        yield mutation.mutant, None if killer is None else str(trial.statements[killer].cell), message
        progress(mutation.mutant)


class _Candidates:
    """The statements that can kill a mutant, as array literals; used by several threads."""

    def __init__(self, statements: Mapping[str, tuple[AttemptStatement, ...]]) -> None:
        self._statements = statements
        self._all: dict[tuple[tuple[str, str], ...], str] = {}
        self._killers: dict[str, dict[int, AttemptStatement]] = {}

    def all(self, mutation: Mutation) -> str:
        """Every statement that can kill the mutant."""
        key = tuple(mutation.touches.items())
        if key not in self._all:
            self._all[key] = _array(
                statement.id
                for table, command in key
                for statement in self._statements.get(table, ())
                if _may_kill(statement, command)
            )
        return self._all[key]

    def likely(self, mutation: Mutation) -> str:
        """The latest statements that killed other mutants of the same table or function."""
        killers = list(self._killers.get(_subject(mutation), {}).values())[-_LIKELY:]
        return _array(
            statement.id
            for statement in killers
            if _may_kill(statement, mutation.touches.get(statement.cell.table, ""))
        )

    def record_kill(self, mutation: Mutation, statement: AttemptStatement) -> None:
        """Record that this statement killed a mutant."""
        killers = self._killers.setdefault(_subject(mutation), {})
        killers.pop(statement.id, None)
        killers[statement.id] = statement


def _subject(mutation: Mutation) -> str:
    """The table or function that the mutation changes."""
    return mutation.mutant.table or mutation.mutant.id.partition(":")[0]


def _array(ids: Iterable[int]) -> str:
    return "{" + ",".join(map(str, sorted(ids))) + "}"


def _matching_statements(
    trial: Trial, rules: AccessRules, tables: set[str], results: Iterable[AttemptResult] | None
) -> Mapping[str, tuple[AttemptStatement, ...]]:
    """By table, the statements that match and are subject to policies.

    Of inserted rows that policies cannot distinguish, one is used.
    """
    inputs = {name: _policy_inputs(trial, rules, name) for name in tables if name in trial.fixtures}
    statements: dict[str, list[AttemptStatement]] = {}
    seen: set[tuple[str, str, tuple[str | None, ...]]] = set()
    if results is None:
        results = trial.run(statement for statement in trial.statements if statement.cell.table in tables)
    for result in results:
        statement = result.statement
        if statement.cell.table not in tables:
            continue
        table, actor = statement.cell.table, trial.matrix.actors[statement.cell.actor]
        if trial.tables[table].grants[actor.role].bypasses or result.actual != frozenset(statement.expected):
            continue
        if statement.way == "insert" and statement.success:
            same = (table, actor.name, inputs[table][statement.success[0]])
            if same in seen:
                continue
            seen.add(same)
        statements.setdefault(table, []).append(statement)
    return {table: tuple(matching) for table, matching in statements.items()}


def _policy_inputs(trial: Trial, rules: AccessRules, name: str) -> Mapping[str, tuple[str | None, ...]]:
    """By key of a row, the values that the INSERT policies read: rows with equal values have equal results.

    If functions or other policies read the table, all values count.
    """
    inserting = [
        policy for policy in rules.policies if policy.table == name and policy.command in ("insert", "all")
    ]
    read = {column for policy in inserting for column in policy.columns}
    if any(name in policy.reads for policy in rules.policies) or rules.functions_read(name):
        read = set(trial.tables[name].columns)
    indexes = [index for index, column in enumerate(writable(trial.tables[name])) if column in read]
    return {row.key: tuple(row.values[index] for index in indexes) for row in trial.fixtures[name].rows}


def _may_kill(statement: AttemptStatement, command: str) -> bool:
    """True if a policy for this command applies to the statement."""
    if command == "all":
        return True
    if command == "select":
        return statement.way in ("select", "with where")
    if command == "update":
        return statement.cell.command in ("update", "reassign")
    return statement.cell.command == command
