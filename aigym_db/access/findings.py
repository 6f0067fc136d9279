"""Findings: cells whose actual rows differ from the expected ones, and access that no cell covers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import psycopg

from aigym_db.access.matrix import AccessMatrix
from aigym_db.access.trial import Trial
from aigym_db.database.queries import query
from aigym_db.model.access import Attempt, CallOutcome, Mutant, Outcome, Survivor, Way
from aigym_db.model.finding import Finding
from aigym_db.model.source import Place

SHOWN = 3
"""Maximum number of witness rows in a message."""

_WAY_SUFFIXES: Mapping[Way, str] = {
    "select": "",
    "insert": "",
    "without where": " without WHERE",
    "with where": "",
}


def differing_cells(outcomes: Iterable[Outcome]) -> Iterator[Finding]:
    """Yield one finding (ACC01) per cell whose actual rows differ from the expected ones.

    The message contains up to three of the rows that differ, with their owners.
    """
    for outcome in outcomes:
        failed = next((attempt for attempt in outcome.attempts if not attempt.ok), None)
        if failed is not None:
            yield Finding(
                "access-differs-from-matrix",
                "ACC01",
                "error",
                describe(outcome, failed),
                outcome.cell.place,
                "Correct the policy or the grant, or change the cell if the actual access is intended.",
            )


def differing_calls(outcomes: Iterable[CallOutcome]) -> Iterator[Finding]:
    """Yield one finding (ACC07) per call whose actual result differs from the expected one.

    The message contains the function with its arguments, the actors of which cell and result are the same,
    and what the call returned and changed. The arguments are those of the first actor.
    """
    differing: dict[tuple[object, ...], list[CallOutcome]] = {}
    for outcome in outcomes:
        if not outcome.ok:
            cell = outcome.cell
            key = cell.function, cell.call, cell.place, cell.expected.text, outcome.actual
            differing.setdefault(key, []).append(outcome)
    for first, *others in differing.values():
        actors = ", ".join(outcome.cell.actor for outcome in (first, *others))
        yield Finding(
            "access-call-differs",
            "ACC07",
            "error",
            f"{first.statement}: {actors} {first.cell.call}: expected {first.cell.expected.text}, "
            f"actual {first.actual}.",
            first.cell.place,
            "Correct the function or its grants, or change the cell if the actual result is intended.",
        )


def describe(outcome: Outcome, attempt: Attempt) -> str:
    """Return the message about an attempt whose actual rows differ from the expected ones."""
    cell = outcome.cell
    head = f"{cell}{_WAY_SUFFIXES[attempt.way]}"
    if attempt.error:
        return f"{head}: {attempt.error}."
    expected = f"expected {' + '.join(cell.classes) or 'no rows'}"
    extra, missing = attempt.actual - attempt.expected, attempt.expected - attempt.actual
    if extra:
        return f"{head}: {expected}, actual also {_rows(outcome, extra)}."
    reason = {
        "grant": " (permission denied)",
        "policy": " (rejected by a policy)",
        "constraint": " (rejected by a constraint)",
    }
    rejected = reason[attempt.rejected_by] if attempt.rejected_by else ""
    return f"{head}: {expected}, actual without {_rows(outcome, missing)}{rejected}."


def _rows(outcome: Outcome, keys: frozenset[str]) -> str:
    named = []
    for key in sorted(keys)[:SHOWN]:
        label = outcome.rows.get(key.partition(" to ")[0], "")
        named.append(f"row {key}" + (f" ({label})" if label else ""))
    more = len(keys) - len(named)
    return ", ".join(named) + (f" and {more} more" if more else "")


def coverage_gaps(trial: Trial) -> Iterator[Finding]:
    """Yield findings about access that no cell covers.

    They are privileges to which row-level security does not apply (ACC02), partitions that a role can address
    directly (ACC03), and tables without rows in the fixture (ACC04).
    """
    roles = sorted({actor.role for actor in trial.matrix.actors.values()})
    outside = list(trial.matrix.actor_list.outside)
    yield from _unpoliced(trial.connections[0], roles, outside)
    yield from _partitions(trial.connections[0], roles, outside)
    for name, fixture in trial.fixtures.items():
        if not fixture.rows:
            yield Finding(
                "access-without-rows",
                "ACC04",
                "error",
                f"{name} has no rows in the test fixture, so its cells prove nothing.",
                trial.matrix.tables[name].place,
                "Add rows to `seeds/test`: some that each cell includes and some that it excludes.",
            )


def _unpoliced(connection: psycopg.Connection, roles: list[str], outside: list[str]) -> Iterator[Finding]:
    for role, table, privilege in connection.execute(
        query("access/unpoliced_grants").encode(), {"roles": roles, "outside": outside}
    ):
        yield Finding(
            "access-bypasses-policies",
            "ACC02",
            "error",
            f"{table}: {role} has been granted {privilege}, to which row-level security does not apply.",
            hint=f"Write `revoke {privilege.lower()} on {table} from {role}` in a migration.",
        )


def _partitions(connection: psycopg.Connection, roles: list[str], outside: list[str]) -> Iterator[Finding]:
    for role, partition, parent in connection.execute(
        query("access/open_partitions").encode(), {"roles": roles, "outside": outside}
    ):
        yield Finding(
            "access-to-partition",
            "ACC03",
            "error",
            f"{partition}: {role} can address this partition directly, bypassing the policies of {parent}.",
            hint=f"Write `revoke all on {partition} from {role}`; keep partitions in a closed schema.",
        )


def surviving_mutants(survivors: Iterable[Survivor], matrix: AccessMatrix) -> Iterator[Finding]:
    """Yield one finding (ACC05) per surviving mutant without an entry in `policies/equivalents.toml`.

    Its place is that of the cells of the table or function in the matrix.
    """
    for survivor in survivors:
        if not survivor.equivalent:
            yield Finding(
                "access-mutant-survives",
                "ACC05",
                "error",
                f"No cell kills the mutant: {survivor.mutant.id}.",
                _place_of(survivor.mutant, matrix),
                "Add a fixture row that distinguishes it, or a reason to policies/equivalents.toml.",
            )


def _place_of(mutant: Mutant, matrix: AccessMatrix) -> Place | None:
    """Return the place of the table or function of a mutant in the matrix; None if it has no cells."""
    if mutant.table is not None:
        return matrix.tables[mutant.table].place if mutant.table in matrix.tables else None
    signature = mutant.id.partition(": ")[0]
    names = (signature, signature.partition("(")[0])
    return next((matrix.functions[name].place for name in names if name in matrix.functions), None)
