"""Asynchronous commits and a server crash: a suffix of the run may be lost with its ledger rows,
never anything before it."""

from __future__ import annotations

import time

import psycopg
import pytest

from aigym_db.database.servers.databases import create_database
from aigym_db.migrate.apply import migrate
from aigym_db.project.config import Project
from aigym_db.project.migrations import migrations

COUNT = 400
MOMENTS = (1, 2, 5, 20, 50, 100, 200, 300)
"""Numbers of committed migrations after which the server crashes; a few more may be in flight."""


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """Many small migrations, each with a table of its own."""
    folder = tmp_path_factory.mktemp("many")
    (folder / "migrations").mkdir()
    for version in range(1, COUNT + 1):
        text = (
            f"-- migrate:up\ncreate table public.t{version} (id int);\n-- migrate:down irreversible: a test\n"
        )
        (folder / "migrations" / f"{version:04d}_t.sql").write_text(text)
    return folder


@pytest.fixture
def pulled(ground, spawn, project):
    """The state after a crash: the versions in the ledger, with a table, and reported as committed."""
    server = ground("embedded:18").server

    def at(moment):
        dsn = create_database(server.running).dsn
        process = spawn(dsn, project=project)
        while len(process.finished) < moment:
            assert not process.ended, process.output
            time.sleep(0.0005)
        # Otherwise it would reconnect and continue.
        process.kill()
        server.crash()
        with psycopg.connect(dsn) as connection:
            ledger = connection.execute("select version from aigym_db.applied order by 1").fetchall()
            tables = connection.execute(
                "select substr(relname, 2)::int from pg_class "
                "where relnamespace = 'public'::regnamespace and relkind = 'r' order by 1"
            ).fetchall()
        return dsn, [row[0] for row in ledger], [row[0] for row in tables], process.finished

    return at


def test_ledger_and_catalog_agree_after_a_crash_and_the_next_run_applies_the_rest(
    pulled, project, record_property
) -> None:
    crashes = [pulled(moment) for moment in MOMENTS]

    lost = [len(set(finished) - set(ledger)) for _, ledger, _, finished in crashes]
    record_property("lost suffixes", lost)
    for _, ledger, tables, _ in crashes:
        assert ledger == tables == list(range(1, len(ledger) + 1))
    # If no crash loses anything, the test proves nothing.
    assert any(lost)
    for dsn, ledger, _, _ in crashes:
        done = migrate(dsn, migrations(Project(project)))
        assert [result.migration.version for result in done] == list(range(len(ledger) + 1, COUNT + 1))
