"""The worker pool of a fleet: forwarded events, errors of jobs, and shared libraries."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from aigym_db.errors import BadSql
from aigym_db.migrate.fleet.rollout import _Relay
from aigym_db.migrate.fleet.worker_pool import WorkerPool
from aigym_db.migrate.observer import Observer
from aigym_db.migrate.preflight import steps
from aigym_db.migrate.stop import Stop


def test_every_event_of_a_run_is_forwarded() -> None:
    events = [event for event in vars(Observer) if not event.startswith("_")]
    forwarded = []
    relay = _Relay(lambda event, arguments: forwarded.append((event, arguments)))

    [getattr(relay, event)(event) for event in events]

    assert forwarded == [(event, (event,)) for event in events]


def test_an_exception_of_a_job_is_raised_in_the_calling_thread() -> None:
    pool = WorkerPool(2, Stop())

    with pytest.raises(ZeroDivisionError):
        pool.work([0, 1], lambda number: 1 // number, lambda job, result: None)


def test_the_parser_is_thread_safe(write) -> None:
    texts = ("create table t (a int);", "create index concurrently i on t (a);", "create tble t (a int);")
    parts = [write(1, f"select 1;\n{text * 100}", options=" transaction:false").up for text in texts]

    def read(number: int) -> int | str:
        try:
            return len(steps(parts[number % 3]))
        except BadSql as raised:
            return f"{raised.message} {raised.place}"

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(read, range(96)))

    assert results == [read(0), read(1), read(2)] * 32
    assert results[:2] == [101, 101]
