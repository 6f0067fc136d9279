"""The cost of a run without pending migrations."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from aigym_db.migrate import apply
from aigym_db.migrate.session import reconnect
from aigym_db.migrate.session.session_settings import connect
from aigym_db.project.config import Project
from aigym_db.project.migrations import migrations

SCRIPT = """
import sys
from pathlib import Path
from aigym_db.migrate.apply import migrate
from aigym_db.project.config import Project
from aigym_db.project.migrations import migrations
assert migrate(sys.argv[1], migrations(Project(Path(sys.argv[2])))) == ()
loaded = {name.partition(".")[0] for name in sys.modules}
print(sorted(loaded & {"pglast", "sqlglot", "jinja2", "rich", "testcontainers"}))
engine = {"aigym_db.migrate.execute", "aigym_db.migrate.session.wire"}
print(sorted(engine & set(sys.modules)))
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "migrations").mkdir()
    text = "-- migrate:up\ncreate table a ();\n-- migrate:down\ndrop table a;\n"
    (tmp_path / "migrations" / "0001_a.sql").write_text(text)
    return tmp_path


def test_neither_a_parser_nor_the_engine_is_imported(database, folder) -> None:
    apply.migrate(database, migrations(Project(folder)))

    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, database, str(folder)], capture_output=True, text=True
    )

    assert (done.stdout, done.stderr) == ("[]\n[]\n", "")


def test_one_connection_and_two_queries_are_enough(database, folder, monkeypatch) -> None:
    apply.migrate(database, migrations(Project(folder)))
    asked: list[str] = []
    opened: list[psycopg.Connection] = []

    class Counting(psycopg.Cursor):
        def execute(self, query, *arguments, **more):
            asked.append(query)
            return super().execute(query, *arguments, **more)

    def counted(*arguments, **more) -> psycopg.Connection:
        connection = connect(*arguments, **more)
        connection.cursor_factory = Counting
        opened.append(connection)
        return connection

    monkeypatch.setattr(reconnect, "connect", counted)
    apply.migrate(database, migrations(Project(folder)))

    # The applied migrations, and those partially applied.
    assert (len(opened), len(asked)) == (1, 2)
