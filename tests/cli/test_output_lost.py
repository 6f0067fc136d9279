"""Output that cannot be written: commands that change a database complete, other commands fail."""

from __future__ import annotations

import errno
import io
import json
import os
import pty
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from aigym_db.migrate.fleet.result import TargetResult
from aigym_db.migrate.observer import Notice
from aigym_db.model.migration import Migration, Part, Plan
from aigym_db.model.source import Place, Source
from aigym_db.project.targets import Target
from aigym_db.report.fleet import WatchingFleet
from aigym_db.report.progress import Watching
from aigym_db.report.result import Report
from tests.support.waiting import PROCESS_TIMEOUT_S

SOURCE = Source("migrations/0001_notes.sql", "select 1")
NOTES = Migration(1, "notes", SOURCE.file, Part(SOURCE, 0, 8), None, "because", "sum")
ESCAPED = {"latin-1": "\\u017elu\\u0165 \\u20ac \\U0001f600", "utf-8": "žluť € 😀"}


def test_a_migration_run_completes(steps, unwritable) -> None:
    nowhere, why = unwritable

    code, _, err = steps.run("migrate", stdout=nowhere)

    assert (code, steps.applied()) == (0, [1, 2, 3, 4])
    assert err.startswith(f"warning Some of the output could not be written: {why}.\n")
    assert "`aigym-db status`" in err


def test_a_rollback_completes(migrated, unwritable) -> None:
    nowhere, why = unwritable

    code, _, err = migrated.run("rollback", "--to", "1", "--yes", stdout=nowhere)

    assert (code, migrated.applied()) == (0, [1])
    assert err.startswith(f"warning Some of the output could not be written: {why}.\n")


def test_a_fleet_completes(steps, unwritable) -> None:
    nowhere, why = unwritable
    (steps.folder / "targets.toml").write_text('[[target]]\nname = "one"\ndsn_env = "DATABASE_URL"\n')

    code, _, err = steps.run("migrate", "--targets", "targets.toml", stdout=nowhere)

    assert (code, steps.applied()) == (0, [1, 2, 3, 4])
    assert err.startswith(f"warning Some of the output could not be written: {why}.\n")


def test_seed_completes_with_a_warning_about_lost_output(migrated, unwritable) -> None:
    nowhere, why = unwritable
    (migrated.folder / "seeds/few").mkdir(parents=True)
    (migrated.folder / "seeds/few/rows.sql").write_text("insert into public.step_1 values (1);\n")

    code, _, err = migrated.run("seed", "few", stdout=nowhere)

    with psycopg.connect(migrated.dsn) as connection:
        assert connection.execute("select x from step_1").fetchall() == [(1,)]
    assert code == 0
    assert err.startswith(f"warning Some of the output could not be written: {why}.\n")


@pytest.mark.parametrize(
    ("words", "made"),
    [
        (("freeze",), "migrations/LOCK"),
        (("new", "more", "--empty"), "migrations/0005_more.sql"),
        (("init", "shop"), "shop/schema"),
        (("server", "start"), ".aigym-db"),
        (("server", "stop"), ""),
    ],
)
def test_a_completed_command_succeeds_although_its_output_is_lost(steps, unwritable, words, made) -> None:
    nowhere, why = unwritable
    (steps.folder / "migrations/LOCK").unlink()

    code, _, err = steps.run(*words, stdout=nowhere)
    steps.run("server", "stop")

    assert (code, (steps.folder / made).exists()) == (0, True)
    assert err.startswith(f"warning Some of the output could not be written: {why}.\n")


def test_a_failure_keeps_its_own_exit_status(steps, unwritable) -> None:
    steps.step(3, "select 1 / 0;")

    code, _, err = steps.run("migrate", stdout=unwritable[0])

    assert (code, steps.applied()) == (4, [1, 2])
    assert err.startswith("error AIG-S002 ")
    assert "warning Some of the output could not be written" in err


def test_a_lost_document_is_a_warning_and_does_not_change_the_exit_status(steps, unwritable) -> None:
    nowhere, why = unwritable

    code, _, err = steps.run("--format", "json", "migrate", stdout=nowhere)

    assert (code, steps.applied()) == (0, [1, 2, 3, 4])
    assert f"warning Some of the output could not be written: {why}.\n" in err


def test_without_stderr_the_document_is_complete(steps, unwritable) -> None:
    code, out, _ = steps.run("--format", "json", "migrate", stderr=unwritable[0])

    assert (code, steps.applied()) == (0, [1, 2, 3, 4])
    assert [row["version"] for row in json.loads(out)["applied"]] == [1, 2, 3, 4]


def test_a_run_without_any_output_completes(steps, unwritable) -> None:
    code, _, _ = steps.run("migrate", stdout=unwritable[0], stderr=unwritable[0])

    assert (code, steps.applied()) == (0, [1, 2, 3, 4])


def test_an_error_that_cannot_be_printed_keeps_its_exit_status(migrated, unwritable) -> None:
    migrated.step(1, "select 1;")

    code, _, _ = migrated.run("status", stdout=unwritable[0], stderr=unwritable[0])

    assert code == 5


def test_a_run_started_without_streams_completes(steps) -> None:
    command = steps.command("migrate")

    done = subprocess.run(
        ["sh", "-c", 'exec "$@" >&- 2>&-', "sh", *command], env=steps.environment(), check=False
    )

    assert (done.returncode, steps.applied()) == (0, [1, 2, 3, 4])


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_read_only_command_fails_on_a_full_disk(migrated, form: str) -> None:
    with Path("/dev/full").open("w") as full:
        code, _, err = migrated.run("--format", form, "status", stdout=full)

    assert code == 2
    assert "error AIG-P016 The output cannot be written: No space left on device.\n" in err
    assert "Traceback" not in err


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_read_only_command_ends_when_its_pipe_is_closed(migrated, no_reader: int, form: str) -> None:
    code, _, err = migrated.run("--format", form, "status", stdout=no_reader)

    assert code == 141
    assert "Traceback" not in err


@pytest.mark.parametrize("encoding", ESCAPED)
def test_a_character_that_the_output_lacks_is_an_escape(steps, encoding: str) -> None:
    steps.step(1, "do $$ begin raise notice 'žluť € 😀'; end $$;")

    code, out, _ = steps.run("migrate", variables={"PYTHONIOENCODING": encoding})

    assert (code, steps.applied()) == (0, [1, 2, 3, 4])
    assert f"  notice: {ESCAPED[encoding]}\n" in out


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_a_document_is_json_in_every_encoding(steps, encoding: str) -> None:
    steps.step(1, "do $$ begin raise exception 'ž é 😀'; end $$;")

    code, out, _ = steps.run(
        "--format", "json", "migrate", variables={"PYTHONIOENCODING": encoding}, encoding=encoding
    )

    assert code == 4
    assert "0001 step: ž é 😀" in json.loads(out)["findings"][0]["message"]


def test_a_closed_terminal_does_not_stop_a_run(steps, wait_for_the_gate) -> None:
    steps.step(1, "select pg_advisory_xact_lock(4711);")
    master, terminal = pty.openpty()

    with psycopg.connect(steps.dsn, autocommit=True) as holder:
        holder.execute("select pg_advisory_lock(4711)")
        popen = steps.start("migrate", stdout=terminal, stderr=terminal)
        wait_for_the_gate(holder)
        os.close(terminal)
        shown = os.read(master, 10_000)
        os.close(master)
        holder.execute("select pg_advisory_unlock(4711)")
        code = popen.wait(PROCESS_TIMEOUT_S)

    assert shown.startswith(b"\x1b[?25l"), "a bar"
    assert (code, steps.applied()) == (0, [1, 2, 3, 4])


class Deaf(io.StringIO):
    """A terminal that rejects writes, as for a background process with `stty tostop`."""

    descriptor: int

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    def fileno(self) -> int:
        return self.descriptor


@pytest.fixture
def deaf(monkeypatch) -> Iterator[Report]:
    """The report on such a terminal."""
    for name in ("CI", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    terminal = Deaf()
    terminal.descriptor = os.open(os.devnull, os.O_WRONLY)
    yield Report(out=terminal, err=terminal)
    os.close(terminal.descriptor)


def test_a_run_completes_without_its_progress_bars(deaf) -> None:
    with Watching(deaf) as watching:
        watching.planned(Plan("up", (NOTES, NOTES), ""))
        watching.notice(NOTES, Notice("NOTICE", "look at this"))

    assert deaf.must_finish


def test_a_fleet_run_completes_without_its_progress_bars(deaf) -> None:
    plan = Plan("up", (NOTES,), "")
    result = TargetResult(Target("one", "dbname=x", Place("targets.toml", 1, 1)), plan=plan)

    with WatchingFleet(deaf) as watching:
        watching.planned((result,))
        watching.started(result).notice(NOTES, Notice("NOTICE", "look at this"))

    assert deaf.must_finish
