"""Asking the targets of a fleet something that changes nothing."""

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

_OF_THE_TARGET = (ServerError, RunnerError, UnknownTenant, BehindPooler)
"""What a database says, and not a file: its place is where the targets file names the database."""


def ask(
    crew: WorkerPool, jobs: Iterable[J], do: Callable[[J], R], ended: Callable[[J, R | AigymError], None]
) -> None:
    """Does jobs that change nothing, and calls `ended` with what each returned or refused.

    Raises Interrupted (AIG-I001).
    """

    def asked(job: J) -> R | AigymError:
        try:
            return do(job)
        except AigymError as refusal:
            return refusal

    crew.work(jobs, asked, ended, leave=lambda: crew.stop.signal is not None)
    if crew.stop.signal:
        raise Interrupted(
            f"Stopped by {crew.stop.signal} before any target was changed.",
            hint="Run the command again to go on.",
        )


def found(fleet: Fleet, crew: WorkerPool) -> tuple[tuple[Target, AigymError | None], ...]:
    """Every target in the order of the file, those of a pattern sorted by name; a pattern that cannot be
    looked up stays itself, with the refusal."""
    named = {(target.dsn, target.schema) for target in fleet.targets if target.schema}
    all_found: dict[Target, list[tuple[Target, AigymError | None]]] = {
        target: [(target, None)] for target in fleet.targets
    }

    def ended(target: Target, answer: tuple[str, ...] | AigymError) -> None:
        if isinstance(answer, AigymError):
            all_found[target] = [(target, answer)]
            return
        all_found[target] = [
            (replace(target, name=f"{target.name}/{schema}", schema=schema, schemas=""), None)
            for schema in answer
            if (target.dsn, schema) not in named
        ]

    ask(crew, (target for target in fleet.targets if target.schemas), _tenants, ended)
    return tuple(one for several in all_found.values() for one in several)


def placed(target: Target, refusal: AigymError) -> AigymError:
    """A refusal with the place of the target it came from, when it is no file's."""
    if refusal.place is None and isinstance(refusal, _OF_THE_TARGET):
        refusal.place = target.place
    return refusal


def _tenants(target: Target) -> tuple[str, ...]:
    with closing(connect(target.dsn, session=SessionSettings(), autocommit=True)) as connection:
        return tenants(connection, target.schemas)
