"""Test mutants with the statements of table cells."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from aigym_db.access.attempts import AttemptStatement
from aigym_db.access.fixture import writable
from aigym_db.access.mutations import AccessRules, Mutation
from aigym_db.access.outcomes import AttemptResult
from aigym_db.access.trial import Trial
from aigym_db.database.migration_session import Connection
from aigym_db.database.queries import query

_LIKELY = 10
"""Number of statements that killed other mutants and are executed first."""
_BATCH = 100
"""Number of statements that are selected and executed together; the first difference ends a batch."""


class StatementTest:
    """The statements that match without a mutant and are subject to policies; used by several threads."""

    def __init__(
        self,
        trial: Trial,
        rules: AccessRules,
        tables: Collection[str],
        results: Iterable[AttemptResult] | None = None,
    ) -> None:
        """`results` are those of `trial.run()`, which is executed for the tables if they are not given."""
        self._trial = trial
        self._statements = _matching_statements(trial, rules, frozenset(tables), results)
        self._batches: dict[tuple[tuple[str, str], ...], list[str]] = {}
        self._killers: dict[str, dict[int, AttemptStatement]] = {}

    def killer(self, connection: Connection, mutation: Mutation) -> tuple[str | None, str | None]:
        """Apply the mutant, execute its statements and roll back; return the killing cell, or the error."""
        batches = [self._likely(mutation), *self._candidates(mutation)]
        parameters = {"ddl": mutation.mutant.ddl, "batches": batches}
        with connection.transaction(force_rollback=True):
            row = connection.execute(query("access/mutate").encode(), parameters).fetchone()
        killer, message = row if row else (None, None)
        if killer is None:
            return None, message
        statement = self._trial.statements[killer]
        killers = self._killers.setdefault(_subject(mutation), {})
        killers.pop(statement.id, None)
        killers[statement.id] = statement
        return str(statement.cell), None

    def _candidates(self, mutation: Mutation) -> list[str]:
        """Every statement that can kill the mutant, in batches; one of each kind comes first.

        Statements of different actors that are expected to reach the same rows are of one kind.
        """
        key = tuple(mutation.touches.items())
        if key not in self._batches:
            first: dict[tuple[object, ...], int] = {}
            others: list[int] = []
            for table, command in key:
                for statement in self._statements.get(table, ()):
                    if _may_kill(statement, command):
                        cell = statement.cell
                        kind = (table, cell.command, statement.way, statement.expected, statement.success)
                        if first.setdefault(kind, statement.id) != statement.id:
                            others.append(statement.id)
            ids = [*sorted(first.values()), *sorted(others)]
            self._batches[key] = [_array(ids[start : start + _BATCH]) for start in range(0, len(ids), _BATCH)]
        return self._batches[key]

    def _likely(self, mutation: Mutation) -> str:
        """The latest statements that killed other mutants of the same table or function."""
        killers = list(self._killers.get(_subject(mutation), {}).values())[-_LIKELY:]
        return _array(
            statement.id
            for statement in killers
            if _may_kill(statement, mutation.touches.get(statement.cell.table, ""))
        )


def _subject(mutation: Mutation) -> str:
    """The table or function that the mutation changes."""
    return mutation.mutant.table or str(mutation.function)


def _array(ids: Iterable[int]) -> str:
    return "{" + ",".join(map(str, sorted(ids))) + "}"


def _matching_statements(
    trial: Trial, rules: AccessRules, tables: frozenset[str], results: Iterable[AttemptResult] | None
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
