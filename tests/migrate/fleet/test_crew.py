"""The workers of a fleet: what they are told, what they tell, and what they share."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from aigym_db.errors import BadSql
from aigym_db.migrate.fleet.rollout import _Relay
from aigym_db.migrate.fleet.worker_pool import WorkerPool
from aigym_db.migrate.observer import Observer
from aigym_db.migrate.preflight import steps
from aigym_db.migrate.stop import Stop


def test_every_word_of_a_run_is_passed_on() -> None:
    words = [word for word in vars(Observer) if not word.startswith("_")]
    heard = []
    relay = _Relay(lambda word, said: heard.append((word, said)))

    [getattr(relay, word)(word) for word in words]

    assert heard == [(word, (word,)) for word in words]


def test_a_fault_of_a_job_is_raised_where_the_jobs_were_given_out() -> None:
    crew = WorkerPool(2, Stop())

    with pytest.raises(ZeroDivisionError):
        crew.work([0, 1], lambda number: 1 // number, lambda job, result: None)


def test_the_parser_may_be_used_by_many_threads(write) -> None:
    texts = ("create table t (a int);", "create index concurrently i on t (a);", "create tble t (a int);")
    parts = [write(1, f"select 1;\n{text * 100}", options=" transaction:false").up for text in texts]

    def read(number: int) -> int | str:
        try:
            return len(steps(parts[number % 3]))
        except BadSql as refusal:
            return f"{refusal.message} {refusal.place}"

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(read, range(96)))

    assert found == [read(0), read(1), read(2)] * 32
    assert found[:2] == [101, 101]
