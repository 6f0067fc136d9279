"""Asking the server: every cell of the answers, as its actor, with everything rolled back."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import psycopg

from aigym_db.access import completeness
from aigym_db.access.attempts import AttemptStatement, RejectedAttempt, jobs, numbered
from aigym_db.access.fixture import Fixture, fixture
from aigym_db.access.matrix import AccessMatrix
from aigym_db.access.outcomes import AttemptResult, gathered
from aigym_db.access.tables import Table, tables
from aigym_db.database.queries import query
from aigym_db.model.access import Actor, Outcome

Connection = psycopg.Connection[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Trial:
    """All jobs of the answers, loaded into sessions of a superuser and ready to be tried."""

    connections: tuple[Connection, ...]
    answers: AccessMatrix
    tables: Mapping[str, Table]
    fixtures: Mapping[str, Fixture]
    jobs: tuple[AttemptStatement, ...]
    refused: tuple[RejectedAttempt, ...]

    def outcomes(self) -> tuple[Outcome, ...]:
        """What happened to every cell by policies and grants alone: triggers and foreign keys rest."""
        return gathered(self.answers, self.fixtures, self.refused, self.everything())

    def everything(
        self, tables: Collection[str] | None = None, *, triggers: bool = False
    ) -> list[AttemptResult]:
        """The replies to all jobs (about all tables, or some), shared out to the connections by table."""
        by_table: dict[str, list[int]] = {}
        for job in self.jobs:
            if tables is not None and job.cell.table not in tables:
                continue
            by_table.setdefault(job.cell.table, []).append(job.id)
        heaps: list[list[int]] = [[] for _ in self.connections]
        for ids in sorted(by_table.values(), key=len, reverse=True):
            min(heaps, key=len).extend(ids)
        with ThreadPoolExecutor(len(heaps)) as pool:
            replies = pool.map(
                lambda connection, ids: self.ask(ids, connection, triggers=triggers), self.connections, heaps
            )
            return [reply for heap in replies for reply in heap]

    def ask(
        self, ids: Sequence[int], connection: Connection, *, triggers: bool = False
    ) -> list[AttemptResult]:
        """The server's replies to some jobs, in their order."""
        with connection.transaction(force_rollback=True):
            found = connection.execute(
                query("access/try").encode(), {"jobs": list(ids), "stop": False, "replica": not triggers}
            ).fetchall()
        return [
            AttemptResult(
                self.jobs[job], None if reached is None else frozenset(reached), state, message or ""
            )
            for job, reached, state, message in found
        ]


def trial(
    connections: Connection | Sequence[Connection], answers: AccessMatrix, only: Collection[str] | None = None
) -> Trial:
    """Prepares the answers of all tables or some on a database with the fixture; changes nothing in it.

    The connections must be superusers'; several work at the same time, on the same database or on clones of
    it. Raises BadAnswers (AIG-P012) when tables and answers do not match, or a row class is not SQL about
    its table.
    """
    sessions = (connections,) if isinstance(connections, psycopg.Connection) else tuple(connections)
    for session in sessions:
        session.execute("select set_config('search_path', '', false)")
    roles = {actor.name: actor.role for actor in answers.actors.values()}
    found = tables(sessions[0], set(roles.values()))
    completeness.check(answers, found)
    wanted = [name for name in answers.sheets if only is None or name in only]
    fixtures = {name: fixture(sessions[0], answers, answers.sheets[name], found[name]) for name in wanted}
    asked: list[AttemptStatement] = []
    refused: list[RejectedAttempt] = []
    for name in wanted:
        for one in jobs(answers.sheets[name], found[name], fixtures[name], roles):
            if isinstance(one, AttemptStatement):
                asked.append(one)
            else:
                refused.append(one)
    ready = numbered(asked)
    for session in sessions:
        _load(session, answers, ready)
    return Trial(sessions, answers, found, fixtures, ready, tuple(refused))


def _load(connection: Connection, answers: AccessMatrix, asked: Iterable[AttemptStatement]) -> None:
    for name in ("forget", "create_jobs", "create_act_as", "create_try", "create_break"):
        connection.execute(query(f"access/{name}").encode())
    scenes: dict[str | None, int] = {None: 0}
    people = {name: _identity(actor) for name, actor in answers.actors.items()}
    with connection.cursor() as cursor, cursor.copy(query("access/fill_jobs").encode()) as copy:
        for job in asked:
            copy.write_row(
                (
                    job.id,
                    scenes.setdefault(job.scene, len(scenes)),
                    job.scene,
                    *people[job.cell.actor],
                    job.body,
                    job.observe,
                    None if job.success is None else list(job.success),
                    None if job.passed is None else list(job.passed),
                    [body for body, _ in job.each] or None,
                    [key for _, key in job.each] or None,
                    list(job.expected),
                )
            )


def _identity(actor: Actor) -> tuple[str, str, str]:
    """Role, claims and settings as the server takes them."""
    return actor.role, json.dumps(actor.claims) if actor.claims else "", json.dumps(dict(actor.settings))
