"""Test mutants of policies and functions: at least one cell must differ."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from aigym_db.access.calls import CallTrial
from aigym_db.access.distribution import distribute
from aigym_db.access.equivalents import Equivalents
from aigym_db.access.mutant_calls import CallTest
from aigym_db.access.mutant_paths import PathTest
from aigym_db.access.mutant_statements import StatementTest
from aigym_db.access.mutant_triggers import TriggerTest
from aigym_db.access.mutations import Mutation, read_access_rules
from aigym_db.access.outcomes import AttemptResult
from aigym_db.access.trial import Trial
from aigym_db.database.migration_session import Connection
from aigym_db.model.access import CallOutcome, Mutant, MutantKind, Survivor

Verdict = tuple[str | None, str | None]
"""The cell that killed a mutant, or the error of its DDL."""
KillTest = Callable[[Connection, Mutation], Verdict]


@dataclass(frozen=True, slots=True)
class MutationReport:
    """The result of testing the mutants."""

    mutants: tuple[Mutant, ...]
    """All of the selection."""
    tested: frozenset[str]
    """Those that were tested; the others are equivalent."""
    killed: Mapping[str, str]
    """Mutant to the cell that killed it."""
    survivors: tuple[Survivor, ...]
    failed: Mapping[str, str]
    """Mutants that PostgreSQL rejected, with its message."""
    without: tuple[str, ...] = ()
    """Tables and functions of the selection that have no mutants."""

    @property
    def tried(self) -> int:
        """The number of mutants that PostgreSQL did not reject."""
        return len(self.killed) + len(self.survivors)

    @property
    def equivalent(self) -> int:
        """The number of mutants that are equivalent to the original."""
        return sum(bool(survivor.equivalent) for survivor in self.survivors)

    @property
    def rate(self) -> float:
        """The share of killed mutants in all that are not equivalent, from 0 to 1; 1 without mutants."""
        open_ = len(self.survivors) - self.equivalent
        return len(self.killed) / (len(self.killed) + open_) if self.killed or open_ else 1.0

    def of_kind(self, kind: MutantKind) -> MutationReport:
        """Return the report of the mutants of one kind."""
        names = {mutant.id for mutant in self.mutants if mutant.kind == kind}
        return MutationReport(
            tuple(mutant for mutant in self.mutants if mutant.kind == kind),
            self.tested & names,
            {name: cell for name, cell in self.killed.items() if name in names},
            tuple(survivor for survivor in self.survivors if survivor.mutant.kind == kind),
            {name: message for name, message in self.failed.items() if name in names},
        )


def mutate(
    trial: Trial,
    equivalents: Equivalents,
    calls: CallTrial | None = None,
    *,
    results: Iterable[AttemptResult] | None = None,
    outcomes: Iterable[CallOutcome] | None = None,
    names: Collection[str] | None = None,
    test_equivalents: bool = False,
    progress: Callable[[Mutant], object] = lambda _: None,
) -> MutationReport:
    """Apply every mutant of the database, one at a time per connection, and test the cells that can kill it.

    Everything is rolled back. Each connection of the trial must be to its own clone; `calls` must have the
    same connections. Cells that differ without a mutant are not used; `results` are those of `trial.run()`
    and `outcomes` those of `calls.outcomes()`, which are executed if they are not given. `progress` is called
    with each tested mutant. With `names`, only mutants of the policies of these tables and of these functions
    are tested. Equivalent mutants are tested with `test_equivalents` only. Raise BadAccessMatrix (AIG-P012)
    if an entry of `equivalents` matches a killed mutant or no mutant of the database.
    """
    rules = read_access_rules(trial.connections[0])
    known = tuple(
        replace(mutation, equivalent=mutation.equivalent or equivalents.reason(mutation.mutant.id))
        for mutation in rules.mutations(trial)
    )
    mutations = [mutation for mutation in known if names is None or rules.subjects(mutation) & set(names)]
    mutated = {subject for mutation in mutations for subject in rules.subjects(mutation)}
    tested = [mutation for mutation in mutations if test_equivalents or not mutation.equivalent]
    statements = StatementTest(
        trial, rules, {table for mutation in tested for table in mutation.touches}, results
    )
    call_test = None
    if calls is not None and any(mutation.function is not None for mutation in tested):
        call_test = CallTest(calls, calls.outcomes() if outcomes is None else outcomes, rules.graph)
    paths = PathTest(trial, call_test, rules.graph)
    triggers = TriggerTest(trial, rules.graph)

    def tests(mutation: Mutation) -> Iterator[KillTest]:
        """The tests of a mutant, those that kill most mutants of its kind first."""
        if mutation.path:
            yield paths.killer
            return
        if call_test is not None and mutation.touches and mutation.function is not None:
            yield call_test.direct_killer
        if mutation.touches:
            yield statements.killer
        if mutation.function is not None:
            if call_test is not None:
                yield call_test.killer
            yield triggers.killer

    def verdict(connection: Connection, mutation: Mutation) -> Verdict:
        result: Verdict = None, None
        for test in tests(mutation):
            result = test(connection, mutation)
            if result != (None, None):
                break
        progress(mutation.mutant)
        return result

    verdicts = dict(
        zip(
            (mutation.mutant.id for mutation in tested),
            distribute(trial.connections, tested, verdict),
            strict=True,
        )
    )
    names_tested = [mutation.mutant.id for mutation in tested]
    killed = {name: cell for name in names_tested if (cell := verdicts[name][0]) is not None}
    failed = {name: message for name in names_tested if (message := verdicts[name][1]) is not None}
    equivalents.check([mutation.mutant.id for mutation in known], killed)
    survivors = tuple(
        Survivor(mutation.mutant, mutation.equivalent)
        for mutation in mutations
        if mutation.mutant.id not in killed and mutation.mutant.id not in failed
    )
    return MutationReport(
        tuple(mutation.mutant for mutation in mutations),
        frozenset(names_tested),
        killed,
        survivors,
        failed,
        tuple(name for name in names or () if name not in mutated),
    )
