"""A rollback that would lose data needs a confirmation on a terminal, elsewhere --yes."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest

from aigym_db.database.servers.databases import create_database, drop_database
from tests.support.command import PROGRAM

LISTED = "app.labels: 2 rows"


@pytest.fixture
def with_rows(shop, migrated: str) -> str:
    """A database whose newest migration created a table with two rows."""
    shop.migration("0003_labels", "create table app.labels (name text);", "drop table app.labels;")
    assert shop("freeze").status == 0
    assert shop("--database", migrated, "migrate").status == 0
    with psycopg.connect(migrated, autocommit=True) as connection:
        connection.execute("insert into app.labels values ('one'), ('two')")
    return migrated


@pytest.fixture
def on_a_terminal() -> Callable[..., tuple[int, str]]:
    """Run a command on a terminal and answer its prompt. Return its exit status and output.

    `before` is called between the prompt and the answer.
    """

    def run(folder: Path, *words: str, answer: str, before: Callable[[], object] = lambda: None):
        ours, theirs = pty.openpty()
        process = subprocess.Popen([*PROGRAM, *words], cwd=folder, stdin=theirs, stdout=theirs, stderr=theirs)
        os.close(theirs)
        seen, prompted = [], threading.Event()

        def read() -> None:
            # The terminal closes with the process; reading then raises OSError.
            with suppress(OSError):
                while text := os.read(ours, 4096):
                    seen.append(text.decode(errors="replace"))
                    if "[y/N]" in "".join(seen):
                        prompted.set()

        reader = threading.Thread(target=read)
        reader.start()
        assert prompted.wait(60), "".join(seen)
        before()
        os.write(ours, f"{answer}\n".encode())
        status = process.wait(60)
        reader.join(60)
        os.close(ours)
        return status, "".join(seen)

    return run


def test_without_confirmation_nothing_changes(shop, with_rows, on_a_terminal, holdings) -> None:
    before = holdings(with_rows)

    status, seen = on_a_terminal(shop.folder, "--database", with_rows, "rollback", answer="n")

    assert status == 3
    assert LISTED in seen
    assert "Make a backup first." in seen
    assert "--yes" not in seen
    assert "Nothing was rolled back." in seen
    assert holdings(with_rows) == before


def test_a_confirmed_rollback_runs(shop, with_rows, on_a_terminal) -> None:
    status, seen = on_a_terminal(shop.folder, "--database", with_rows, "rollback", answer="y")

    assert (status, LISTED in seen, "1 rolled back." in seen) == (0, True, True)


def test_a_confirmation_does_not_cover_migrations_applied_meanwhile(shop, with_rows, on_a_terminal) -> None:
    shop.migration("0004_more", "create table app.more ();", "drop table app.more;")
    assert shop("freeze").status == 0

    def meanwhile() -> None:
        assert shop("--database", with_rows, "migrate").status == 0

    status, seen = on_a_terminal(
        shop.folder, "--database", with_rows, "rollback", answer="y", before=meanwhile
    )

    assert status == 5
    assert "AIG-T006" in seen
    with psycopg.connect(with_rows, autocommit=True) as connection:
        assert connection.execute("select to_regclass('app.labels') is not null").fetchone() == (True,)
        assert connection.execute("select count(*) from aigym_db.applied").fetchone() == (4,)


@pytest.fixture
def fleet(shop, server, with_rows, monkeypatch) -> Iterator[tuple[str, str]]:
    """That database and another one without rows, in a targets file."""
    created = create_database(server)
    empty = created.dsn
    assert shop("--database", empty, "migrate").status == 0
    monkeypatch.setenv("FULL", with_rows)
    monkeypatch.setenv("EMPTY", empty)
    names = ("full", "empty")
    tables = [f'[[target]]\nname = "{name}"\ndsn_env = "{name.upper()}"\n' for name in names]
    (shop.folder / "targets.toml").write_text("\n".join(tables))
    yield with_rows, empty
    drop_database(server, created.name)


BACK = ("rollback", "--targets", "targets.toml", "--to", "2")


def applied(dsn: str) -> int:
    with psycopg.connect(dsn, autocommit=True) as connection:
        return connection.execute("select count(*) from aigym_db.applied").fetchone()[0]


@pytest.mark.parametrize(("answer", "status", "version"), [("y", 0, 2), ("n", 3, 3)])
def test_one_prompt_covers_all_targets(shop, fleet, on_a_terminal, answer, status, version) -> None:
    code, seen = on_a_terminal(shop.folder, *BACK, answer=answer)

    assert (code, seen.count("[y/N]"), "Roll back and lose data on 1 target?" in seen) == (
        status,
        1,
        True,
    )
    assert "full: Rolling back 0003 labels would destroy data." in seen
    assert [applied(dsn) for dsn in fleet] == [version, version]


def test_a_confirmation_for_one_target_does_not_cover_another(shop, fleet, on_a_terminal) -> None:
    def meanwhile() -> None:
        with psycopg.connect(fleet[1], autocommit=True) as connection:
            connection.execute("insert into app.labels values ('late')")

    code, seen = on_a_terminal(shop.folder, *BACK, answer="y", before=meanwhile)

    assert (code, "empty: Rolling back 0003 labels would destroy data." in seen) == (3, True)
    assert [applied(dsn) for dsn in fleet] == [3, 3]


def test_without_a_terminal_a_fleet_needs_yes(shop, fleet) -> None:
    rejected = shop(*BACK)
    done = shop(*BACK, "--yes")

    assert (rejected.status, "AIG-G003" in rejected.err, done.status) == (3, True, 0)
    assert [applied(dsn) for dsn in fleet] == [2, 2]


def test_targets_rolled_back_before_the_prompt_are_in_the_final_report(shop, fleet, on_a_terminal) -> None:
    file = shop.folder / "targets.toml"
    file.write_text('on_failure = "continue"\n' + file.read_text())

    code, seen = on_a_terminal(shop.folder, "--format", "json", *BACK, answer="y")

    targets = json.loads(seen[seen.index("\r\n{") :])["targets"]
    assert (code, [each["status"] for each in targets]) == (0, ["done", "done"])
    assert [[done["version"] for done in each["rolled_back"]] for each in targets] == [[3], [3]]
    assert [applied(dsn) for dsn in fleet] == [2, 2]
