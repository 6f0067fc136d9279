"""Commands with `--targets` as processes: killed, stopped and run again."""

from __future__ import annotations

import json
import signal
import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from aigym_db.database import ledger
from aigym_db.database.dsn import parameters
from aigym_db.database.servers.databases import create_database, drop_database
from tests.support.command import ProjectFolder
from tests.support.waiting import PROCESS_TIMEOUT_S, wait_until

COUNT = 6
GATED = (1, 2)
"""The targets whose second migration waits for an advisory lock of the test."""
WAIT = "select pg_advisory_lock_shared(777); select pg_advisory_unlock_shared(777);"


class Project(ProjectFolder):
    """A folder with migrations and a targets file, and commands run in it."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__(folder)
        self.monkeypatch = monkeypatch
        self.write("aigym-db.toml", "")

    def targets(self, dsns: list[str], top: str = "", **more: str) -> None:
        """Write a targets file; connection strings come from the environment."""
        lines = [top]
        for number, dsn in enumerate(dsns):
            self.monkeypatch.setenv(f"SHOP_{number}", dsn)
            lines.append(f'[[target]]\nname = "shop-{number}"\ndsn_env = "SHOP_{number}"')
            lines += [f'{key} = "{value}"' for key, value in more.items()]
        (self.folder / "targets.toml").write_text("\n".join(lines))


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    """Three migrations: the second waits at a barrier, the third is non-transactional."""
    project = Project(tmp_path, monkeypatch)
    project.migration("0001_notes", "create table notes (id int); insert into notes values (0);", None)
    project.migration("0002_wait", f"{WAIT} update notes set id = id + 1;", None)
    project.migration(
        "0003_index",
        "create index concurrently notes_id_idx on notes (id);",
        None,
        options="transaction:false",
    )
    project.freeze()
    yield project
    project.end()


@pytest.fixture
def dsns(server) -> Iterator[list[str]]:
    """Six databases."""
    created = [create_database(server) for _ in range(COUNT)]
    yield [database.dsn for database in created]
    for database in created:
        drop_database(server, database.name)


@pytest.fixture
def gates(dsns) -> Iterator[list[psycopg.Connection]]:
    """Sessions that keep the gated targets at the barrier."""
    with ExitStack() as stack:
        opened = [
            stack.enter_context(
                closing(psycopg.connect(dsns[number], autocommit=True, application_name="gate"))
            )
            for number in GATED
        ]
        for gate in opened:
            gate.execute("select pg_advisory_lock(777)")
        yield opened


def at_the_barrier(gate: psycopg.Connection) -> bool:
    waiting = (
        "select from pg_locks where locktype = 'advisory' and objid = 777 and not granted "
        "and database = (select oid from pg_database where datname = current_database())"
    )
    return gate.execute(waiting).fetchone() is not None


def state(dsn: str, scope: str = "") -> tuple[list[int], int | None]:
    """Return the applied versions and the number in the table, which each run of 0002 increments."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        versions = [row.version for row in ledger.applied(connection, scope)]
        table = f"{scope}.notes" if scope else "notes"
        row = connection.execute(f"select id from {table}").fetchone() if versions else None
        return versions, row[0] if row else None


DONE = ([1, 2, 3], 1)


@pytest.mark.parametrize("on_failure", ["stop", "continue"])
def test_a_signal_stops_every_worker_and_the_next_run_resumes(project, dsns, gates, on_failure) -> None:
    project.targets(dsns, f'parallel = 2\non_failure = "{on_failure}"')
    running = project.start("--format", "json", "migrate", "--targets", "targets.toml")
    wait_until(lambda: all(map(at_the_barrier, gates)), "every gated target at the barrier")

    running.send_signal(signal.SIGTERM)
    out, _ = running.communicate(timeout=PROCESS_TIMEOUT_S)

    document = json.loads(out)
    assert (running.returncode, document["exit_status"]) == (130, 130)
    assert [each["status"] for each in document["targets"]] == [
        "done",
        "stopped",
        "stopped",
        *["not started"] * 3,
    ]
    assert "SIGTERM with 5 of 6 targets left" in document["findings"][-1]["message"]
    assert [state(dsn)[0] for dsn in dsns] == [[1, 2, 3], [1], [1], [], [], []]
    for gate in gates:
        gate.execute("select pg_advisory_unlock(777)")
    assert project.run("migrate", "--targets", "targets.toml")[::2] == (0, "")
    assert [state(dsn) for dsn in dsns] == [DONE] * COUNT


def test_a_signal_while_the_targets_are_polled_ends_the_command(project, dsns) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        project.targets([*dsns, f"host=127.0.0.1 port={silent.getsockname()[1]} dbname=x"])
        running = project.start("migrate", "--targets", "targets.toml")
        # A server that accepts the connection and never responds.
        silent.settimeout(PROCESS_TIMEOUT_S)
        connection, _ = silent.accept()

        running.send_signal(signal.SIGTERM)
        _, err = running.communicate(timeout=PROCESS_TIMEOUT_S)
        connection.close()

    assert (running.returncode, "SIGTERM before any target was changed" in err) == (130, True)
    assert [state(dsn) for dsn in dsns] == [([], None)] * COUNT


@pytest.mark.parametrize("form", ["databases", "tenants"])
def test_a_killed_fleet_leaves_no_sessions_and_the_next_run_resumes(project, dsns, gates, form) -> None:
    scopes = {"databases": [""], "tenants": ["tenant_a", "tenant_b"]}[form]
    for dsn in dsns:
        with psycopg.connect(dsn, autocommit=True) as connection:
            [connection.execute(f"create schema {scope}") for scope in scopes if scope]
    project.targets(dsns, "parallel = 3", **({} if form == "databases" else {"schemas": "tenant_?"}))
    running = project.start("migrate", "--targets", "targets.toml")
    wait_until(lambda: all(map(at_the_barrier, gates)), "every gated target at the barrier")

    running.kill()
    running.communicate()

    ours = "select from pg_stat_activity where application_name = 'aigym-db' and datname is not null"
    wait_until(lambda: gates[0].execute(ours).fetchone() is None, "no session left", polls=500)
    for gate in gates:
        gate.execute("select pg_advisory_unlock(777)")
    assert project.run("migrate", "--targets", "targets.toml")[::2] == (0, "")
    assert [state(dsn, scope) for dsn in dsns for scope in scopes] == [DONE] * COUNT * len(scopes)


@pytest.fixture
def back(project, dsns) -> tuple[str, ...]:
    """The command that rolls back the last two files; 0004 waits on the gated targets."""
    project.migration("0004_table", "create table more (id int);", down=f"{WAIT} drop table more;")
    project.migration("0005_last", "create table last ();", down="drop table last;")
    assert project.run("freeze")[0] == 0
    project.targets(dsns, "parallel = 2")
    assert project.run("migrate", "--targets", "targets.toml")[0] == 0
    return ("rollback", "--targets", "targets.toml", "--to", "3", "--yes")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_an_interrupted_rollback_resumes(project, back, dsns, gates, number) -> None:
    running = project.start("--format", "json", *back)
    wait_until(lambda: all(map(at_the_barrier, gates)), "every gated target at the barrier")

    running.send_signal(number)
    out, _ = running.communicate(timeout=PROCESS_TIMEOUT_S)

    if number == signal.SIGTERM:
        document = json.loads(out)
        assert (running.returncode, document["exit_status"]) == (130, 130)
        states = ["done", "stopped", "stopped", *["not started"] * 3]
        assert [each["status"] for each in document["targets"]] == states
        assert [len(each["rolled_back"]) for each in document["targets"]] == [2, 1, 1, 0, 0, 0]
    ours = "select from pg_stat_activity where application_name = 'aigym-db' and datname is not null"
    wait_until(lambda: gates[0].execute(ours).fetchone() is None, "no session left", polls=500)
    middle = [[1, 2, 3], [1, 2, 3, 4], [1, 2, 3, 4], *[[1, 2, 3, 4, 5]] * 3]
    assert [state(dsn)[0] for dsn in dsns] == middle
    for gate in gates:
        gate.execute("select pg_advisory_unlock(777)")
    assert project.run(*back)[::2] == (0, "")
    assert [state(dsn) for dsn in dsns] == [DONE] * COUNT


@pytest.mark.parametrize("words", [[], ["--steps", "1"], ["--to", "1", "--steps", "1"]])
def test_a_fleet_rollback_requires_a_version(project, dsns, words) -> None:
    project.targets(dsns)

    status, _, err = project.run("rollback", "--targets", "targets.toml", *words)

    assert (status, "Specify the version with `--to`" in err) == (2, True)


def test_status_has_a_line_for_every_target(project, dsns) -> None:
    project.targets(dsns[:2])
    assert project.run("migrate", "--targets", "targets.toml")[0] == 0
    project.targets([*dsns[:3], "host=127.0.0.1 port=1 password=open-sesame"])
    begun = ledger.Event("intent", 3, "index", "sha256:x", "up", 1, sql="vacuum", detail={})
    with psycopg.connect(dsns[1], autocommit=True) as connection:
        connection.execute("select aigym_db.applied.version from aigym_db.applied")
        ledger.record(connection, replace(begun, kind="rollback", statement=None, direction="down"))
        ledger.record(connection, begun)

    status, out, err = project.run("status", "--targets", "targets.toml")
    json_status, document, _ = project.run("--format", "json", "status", "--targets", "targets.toml")

    assert out.splitlines() == [
        "target  at    pending  error",
        "shop-0  0003",
        "shop-1  0002  1",
        "shop-2  0000  3",
        "shop-3                 AIG-S001",
        "",
        "shop-1: 0003 index is interrupted in statement 1 (up).",
        "1 up to date, 1 behind, 1 interrupted, 1 unknown.",
    ]
    assert (status, json_status, "shop-3: No connection" in err, "sesame" in err) == (4, 4, True, False)
    targets = json.loads(document)["targets"]
    assert [each["status"] for each in targets] == ["up to date", "interrupted", "behind", "unknown"]
    assert [each["version"] for each in targets] == [3, 2, None, None]
    assert [[file["version"] for file in each["pending"]] for each in targets[:3]] == [[], [3], [1, 2, 3]]
    assert (targets[3]["version"], targets[3]["pending"], targets[3]["unfinished"]) == (None, None, None)
    assert targets[1]["unfinished"][0]["version"] == 3
    assert targets[3]["error"]["code"] == "AIG-S001"


def test_the_report_lists_every_target(project, dsns) -> None:
    with psycopg.connect(dsns[3], autocommit=True) as connection:
        connection.execute("create view notes as select 1 as id")
    project.targets(dsns, 'parallel = 1\non_failure = "continue"')

    status, out, err = project.run("migrate", "--targets", "targets.toml")

    lines = out.splitlines()
    table = lines[next(number for number, line in enumerate(lines) if line.startswith("target")) :]
    words = [line.split()[:2] for line in table[1 : COUNT + 1]]
    assert words == [[f"shop-{n}", "failed" if n == 3 else "done"] for n in range(COUNT)]
    assert (status, lines[-1], "AIG-S002" in table[4]) == (4, "5 done, 1 failed.", True)
    assert "shop-0: applied 0001 notes" in out
    assert 'shop-3: 0001 notes: relation "notes" already exists' in err
    assert "migrations/0001_notes.sql:2:" in err


def test_the_same_error_of_many_targets_is_reported_once(project, dsns) -> None:
    project.migration("0004_draft", "select 1;")
    project.targets(dsns)

    status, _, err = project.run("migrate", "--targets", "targets.toml")

    assert (status, err.count("is not frozen")) == (3, 1)
    assert "shop-0, shop-1, shop-2, shop-3, shop-4 and 1 more: 0004 draft is not frozen" in err
    assert [state(dsn) for dsn in dsns] == [([], None)] * COUNT


def test_a_password_is_never_shown(project) -> None:
    project.targets(
        ["postgresql://me:open-sesame@127.0.0.1:1/x", "host=127.0.0.1 port=1 password=open-sesame"]
    )

    for words in (["migrate"], ["--format", "json", "migrate"]):
        status, out, err = project.run(*words, "--targets", "targets.toml")
        assert (status, "open-sesame" in out + err, "AIG-S001" in out + err) == (4, False, True)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--database", "postgresql://x@/x", "migrate"], "`--targets` and `--database` exclude each other"),
        (["migrate", "--resolve", "done"], "the targets file lists several"),
        (["rollback", "--to", "1", "--resolve", "done"], "the targets file lists several"),
        (["status", "--sql", "1"], "`--sql` and `--targets` exclude each other"),
    ],
)
def test_options_for_one_database_are_rejected_with_targets(project, dsns, words, message) -> None:
    project.targets(dsns)

    status, _, err = project.run(*words, "--targets", "targets.toml")

    assert (status, message in err) == (2, True)


def test_a_targets_file_that_does_not_exist(project) -> None:
    status, _, err = project.run("migrate", "--targets", "nowhere.toml")

    assert (status, "nowhere.toml cannot be read" in err) == (2, True)


def test_a_service_is_resolved_before_the_workers_connect(project, dsns, tmp_path) -> None:
    values = parameters(dsns[0])
    services = tmp_path / "services.conf"
    services.write_text(
        f"[first]\nhost={values['host']}\nport={values['port']}\nuser={values['user']}\ndbname={values['dbname']}\n"
    )
    project.targets(["service=first", *dsns[1:3]])

    status, _, err = project.run(
        "migrate", "--targets", "targets.toml", variables={"PGSERVICEFILE": str(services)}
    )

    assert (status, err) == (0, "")
    assert [state(dsn) for dsn in dsns] == [DONE] * 3 + [([], None)] * 3


def test_an_unknown_service_is_rejected_with_its_place(project) -> None:
    project.targets(["service=nowhere"])

    status, _, err = project.run("migrate", "--targets", "targets.toml")

    assert (status, "There is no service nowhere" in err, "targets.toml:2:1" in err) == (4, True, True)
