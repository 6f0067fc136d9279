"""The DSN of a local server that runs already, or None if a start or a message is necessary."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import psycopg

from aigym_db.database.servers.databases import create_database
from aigym_db.database.servers.local import LocalServer, local


def test_a_running_server_serves_its_databases(local_server: LocalServer) -> None:
    dsn = create_database(local_server.start(), "development").dsn

    served = local_server.serving("development")

    assert served == dsn


def test_a_missing_database_is_not_served(local_server: LocalServer) -> None:
    local_server.start()

    assert local_server.serving("development") is None


def test_a_stopped_server_serves_no_database(local_server: LocalServer) -> None:
    local_server.start()
    local_server.stop()

    assert local_server.serving("postgres") is None


def test_the_check_creates_no_files_in_a_project_without_a_server(local_server: LocalServer) -> None:
    served = local_server.serving("postgres")

    assert served is None
    assert not local_server.folder.exists()


def test_the_copy_of_a_project_does_not_use_the_server_of_the_original(
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


def test_a_name_of_another_server_is_not_served(local_server: LocalServer) -> None:
    local_server.start()

    assert local(local_server.root, "embedded:16").serving("postgres") is None


def test_the_search_for_a_local_server_imports_nothing_that_starts_one(tmp_path: Path) -> None:
    script = """
import sys
from pathlib import Path
from aigym_db.database.servers.local import local
assert local(Path(sys.argv[1])).serving("development") is None
names = ("throwaway", "cluster", "cleanup", "databases", "keeper")
print([name for name in names if f"aigym_db.database.servers.{name}" in sys.modules])
"""

    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=True
    )

    assert done.stdout == "[]\n"
