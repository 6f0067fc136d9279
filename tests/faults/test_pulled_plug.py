"""Commits that do not wait for the disk, and a server that stops at once: the end of a run may be lost,
ledger rows and all, and never a piece out of its middle."""

from __future__ import annotations

import time

import psycopg
import pytest

from aigym_db.database.servers import create_database
from aigym_db.migrate.apply import migrate
from aigym_db.project.config import Project
from aigym_db.project.migrations import migrations

COUNT = 400
MOMENTS = (1, 2, 5, 20, 50, 100, 200, 300)
"""After how many committed migrations the plug is pulled, or a few more: what is sent is not called back."""


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """Many small files, each with a table of its own."""
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
    """What there is after the plug was pulled: the versions in the ledger, those with a table, and those that
    the run had said are committed."""
    server = ground("embedded:18").server

    def at(moment):
        dsn = create_database(server.running).dsn
        process = spawn(dsn, project=project)
        while len(process.finished) < moment:
            assert not process.ended, process.output
            time.sleep(0.0005)
        # Else it would find the server again, and go on.
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


def test_ledger_and_catalog_agree_whatever_was_lost_and_the_next_run_makes_it_good(
    pulled, project, record_property
) -> None:
    found = [pulled(moment) for moment in MOMENTS]

    lost = [len(set(finished) - set(ledger)) for _, ledger, _, finished in found]
    record_property("lost suffixes", lost)
    for _, ledger, tables, _ in found:
        assert ledger == tables == list(range(1, len(ledger) + 1))
    # Else nothing was pulled: a test that never loses anything proves nothing of what is lost.
    assert any(lost)
    for dsn, ledger, _, _ in found:
        done = migrate(dsn, migrations(Project(project)))
        assert [one.migration.version for one in done] == list(range(len(ledger) + 1, COUNT + 1))
