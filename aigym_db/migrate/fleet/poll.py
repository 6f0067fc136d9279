"""Read from all targets of a fleet in parallel, without changing them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import replace
from typing import TypeVar

from aigym_db.database.connect import SessionSettings, connect
from aigym_db.errors import AigymError, BehindPooler, Interrupted, RunnerError, ServerError, UnknownTenant
from aigym_db.migrate.fleet.worker_pool import WorkerPool
from aigym_db.migrate.tenants import tenants
from aigym_db.project.targets import Fleet, Target

J = TypeVar("J")
R = TypeVar("R")

_TARGET_ERRORS = (ServerError, RunnerError, UnknownTenant, BehindPooler)
"""Errors of a database, not of a file: their place is the target's entry in the targets file."""


def poll(
    pool: WorkerPool,
    jobs: Iterable[J],
    read: Callable[[J], R],
    on_end: Callable[[J, R | AigymError], None],
) -> None:
    """Run read-only jobs, and call `on_end` with the result or the error of each.

    Raise Interrupted (AIG-I001) after a signal.
    """

    def run(job: J) -> R | AigymError:
        try:
            return read(job)
        except AigymError as error:
            return error

    pool.work(jobs, run, on_end, abandon=lambda: pool.stop.signal is not None)
    if pool.stop.signal:
        raise Interrupted(
            f"Stopped by {pool.stop.signal} before any target was changed.",
            hint="Run the command again to resume.",
        )


def expand_patterns(fleet: Fleet, pool: WorkerPool) -> tuple[tuple[Target, AigymError | None], ...]:
    """Return every target in the order of the file, each pattern replaced by its tenants, sorted by name.

    A pattern that cannot be expanded is returned as it is, with the error.
    """
    named = {(target.dsn, target.schema) for target in fleet.targets if target.schema}
    expanded: dict[Target, list[tuple[Target, AigymError | None]]] = {
        target: [(target, None)] for target in fleet.targets
    }

    def on_end(target: Target, schemas: tuple[str, ...] | AigymError) -> None:
        if isinstance(schemas, AigymError):
            expanded[target] = [(target, at_target(target, schemas))]
            return
        expanded[target] = [
            (replace(target, name=f"{target.name}/{schema}", schema=schema, schemas=""), None)
            for schema in schemas
            if (target.dsn, schema) not in named
        ]

    poll(pool, (target for target in fleet.targets if target.schemas), _tenants, on_end)
    return tuple(entry for entries in expanded.values() for entry in entries)


def at_target(target: Target, error: AigymError) -> AigymError:
    """Return the error with the place of the target, if it has no place in a file."""
    if error.place is None and isinstance(error, _TARGET_ERRORS):
        return error.amended(place=target.place)
    return error


def _tenants(target: Target) -> tuple[str, ...]:
    with closing(connect(target.dsn, session=SessionSettings(), autocommit=True)) as connection:
        return tenants(connection, target.schemas)
