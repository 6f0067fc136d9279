"""The short way to a local server that runs already: a yes only when nothing is left to do or to say."""

from __future__ import annotations

import shutil
from pathlib import Path

import psycopg

from aigym_db.database.servers import LocalServer, create_database, local


def test_a_server_that_runs_serves_the_databases_it_holds(local_server: LocalServer) -> None:
    dsn = create_database(local_server.start(), "development").dsn

    served = local_server.serving("development")

    assert served == dsn


def test_a_database_that_is_not_there_is_not_served(local_server: LocalServer) -> None:
    local_server.start()

    assert local_server.serving("development") is None


def test_a_server_that_was_stopped_serves_nothing(local_server: LocalServer) -> None:
    local_server.start()
    local_server.stop()

    assert local_server.serving("postgres") is None


def test_asking_a_project_without_a_server_makes_nothing(local_server: LocalServer) -> None:
    served = local_server.serving("postgres")

    assert served is None
    assert not local_server.folder.exists()


def test_the_copy_of_a_project_does_not_work_on_the_server_of_the_first(
    local_server: LocalServer, open_folder: Path
) -> None:
    local_server.start()
    copied = open_folder / "copy"
    shutil.copytree(
        local_server.folder, copied / local_server.folder.name, ignore=shutil.ignore_patterns("socket")
    )

    assert local(copied).serving("postgres") is None


def test_a_server_that_may_lose_commits_is_not_served(local_server: LocalServer) -> None:
    with psycopg.connect(local_server.start().dsn(), autocommit=True) as connection:
        connection.execute("alter database postgres set synchronous_commit = off")

    assert local_server.serving("postgres") is None


def test_another_server_than_the_one_that_runs_is_not_served(local_server: LocalServer) -> None:
    local_server.start()

    assert local(local_server.root, "embedded:16").serving("postgres") is None
