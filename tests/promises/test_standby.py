"""A streaming standby: status works, migrations are rejected, and a failover is followed."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from aigym_db.database.connect import connect
from aigym_db.database.dsn import parameters
from aigym_db.database.servers import process
from aigym_db.database.servers.account import account
from aigym_db.database.servers.claims import claim
from aigym_db.database.servers.databases import create_database
from aigym_db.database.servers.installed import InstalledThrowaway
from aigym_db.database.servers.keeper import Keeper
from aigym_db.migrate.apply import migrate
from aigym_db.migrate.observer import Finished, Observer, Waiting
from aigym_db.migrate.options import Options
from aigym_db.migrate.session import begin
from tests.support.servers import installed

SETTINGS = {"wal_level": "replica", "max_wal_senders": "4", "listen_addresses": ""}


@dataclass(frozen=True)
class Pair:
    """A primary and its standby."""

    primary: InstalledThrowaway
    standby: Path
    """The folder of the standby's socket and data."""
    database: str

    def dsn(self, *hosts: str, more: str = "") -> str:
        """The database on the `primary`, the `standby`, or both in this order."""
        folders = {"primary": str(self.primary.socket_folder), "standby": str(self.standby)}
        where = ",".join(folders[host] for host in hosts)
        return f"dbname={self.database} user=postgres host={where} port={self.primary.port} {more}"

    def promote(self) -> None:
        """Promote the standby and wait until it is a primary."""
        control = [self.primary.programs.program("pg_ctl"), "promote", "-w", "-D", str(self.standby / "data")]
        options = account().popen_options()
        subprocess.run(control, check=True, capture_output=True, cwd="/", **options)  # type: ignore[call-overload]

    def stop_primary(self) -> None:
        """Stop the primary like a crash (immediate shutdown)."""
        process.kill(self.primary.folder / "data")


@pytest.fixture
def pair(visit) -> Iterator[Pair]:
    """A primary with a synchronous streaming standby."""
    with installed("embedded", settings={**SETTINGS, "synchronous_commit": "remote_apply"}) as primary:
        owner = account()
        place = claim(owner)
        copy = [
            primary.programs.program("pg_basebackup"),
            *("-d", primary.dsn(), "-D", str(place.folder / "data"), "-X", "stream", "-c", "fast", "-R"),
        ]
        options = owner.popen_options()
        subprocess.run(copy, check=True, capture_output=True, cwd="/", **options)  # type: ignore[call-overload]
        keeper = Keeper(
            primary.programs,
            place.folder,
            {**SETTINGS, "unix_socket_directories": str(place.folder), "hot_standby": "on"},
            owner,
        )
        try:
            keeper.wait_until_ready()
            # From now on a commit is on both servers.
            first = visit(primary.dsn())
            first.execute("alter system set synchronous_standby_names = '*'")
            first.execute("select pg_reload_conf()")
            first.wait_for("select true from pg_stat_replication where sync_state = 'sync'")
            database = create_database(primary).name
            yield Pair(primary, place.folder, database)
        finally:
            keeper.stop()
            place.release()


@pytest.fixture
def line(empty_project, pair: Pair):
    """A project of four migrations, the first two of them applied."""
    empty_project.dsn = pair.dsn("primary")
    empty_project.migration("0001_table", "create table a (x int);", "drop table a;")
    empty_project.migration("0002_row", "insert into a values (2);", "delete from a where x = 2;")
    assert empty_project.run("migrate").status == 0
    empty_project.migration("0003_row", "insert into a values (3);", "delete from a where x = 3;")
    empty_project.migration("0004_row", "insert into a values (4);", "delete from a where x = 4;")
    return empty_project


@pytest.mark.exhaustive
def test_a_standby_is_read_and_never_migrated(line, pair: Pair, visit) -> None:
    at_standby = pair.dsn("standby")
    there = visit(at_standby)

    seen = line.run("status", dsn=at_standby)
    rejected = {command: line.run(command, dsn=at_standby) for command in ("migrate", "rollback")}

    assert (seen.status, ": 2 applied, 2 pending." in seen.out) == (0, True)
    assert {result.status for result in rejected.values()} == {4}
    for result in rejected.values():
        assert "error AIG-S005 The server is a standby, and migrations run on the primary only." in result.out
        assert "  hint: Connect to the primary, as with `target_session_attrs=read-write`." in result.out
    assert there.all("select x from a") == [2]


@pytest.mark.exhaustive
def test_the_health_of_a_standby_is_examined(line, pair: Pair, visit) -> None:
    visit(pair.dsn("primary")).execute("create table b (x int); create index b_idx on b (x)")

    result = line.run("health", dsn=pair.dsn("standby"))

    assert (result.status, result.out.splitlines()[-1].endswith("1 unknown, 0 warning, 0 critical.")) == (
        0,
        True,
    )
    assert "HLT06 A standby counts its own queries only: indexes without a scan: 1." in result.out


@pytest.mark.exhaustive
@pytest.mark.parametrize("order", [("primary", "standby"), ("standby", "primary")], ids=" first, ".join)
def test_both_sessions_connect_to_the_primary_of_several_hosts(line, pair: Pair, visit, order) -> None:
    seen = line.run("migrate", dsn=pair.dsn(*order, more="target_session_attrs=read-write"))

    assert (seen.status, seen.out.splitlines()[-1]) == (0, "2 applied."), seen.out
    assert visit(pair.dsn("primary")).all("select x from a order by x") == [2, 3, 4]


@pytest.mark.exhaustive
def test_both_sessions_connect_to_the_first_host_without_target_session_attrs(line, pair: Pair) -> None:
    onto_standby = line.run("migrate", dsn=pair.dsn("standby", "primary"))
    onto_primary = line.run("migrate", dsn=pair.dsn("primary", "standby"))

    assert (onto_standby.status, "error AIG-S005" in onto_standby.out) == (4, True)
    assert onto_primary.status == 0


@pytest.mark.exhaustive
def test_the_second_session_connects_to_the_host_of_the_first(line, pair: Pair, monkeypatch) -> None:
    dsns = []
    monkeypatch.setattr(begin, "connect", lambda dsn, **more: dsns.append(dsn) or connect(dsn, **more))

    migrate(pair.dsn("standby", "primary", more="target_session_attrs=read-write"), line.files())

    assert [parameters(dsn)["host"] for dsn in dsns] == [str(pair.primary.socket_folder)]


class Failover(Observer):
    """Stop the primary after a migration; promote the standby at the first failed connection."""

    def __init__(self, pair: Pair, after: int) -> None:
        self.pair, self.after = pair, after
        self.done: list[int] = []
        self.reasons: set[str] = set()

    def finished(self, finished: Finished) -> None:
        self.done.append(finished.migration.version)
        if finished.migration.version == self.after:
            self.pair.stop_primary()

    def waiting(self, waiting: Waiting) -> None:
        if waiting.reason == "server" and "server" not in self.reasons:
            self.pair.promote()
        self.reasons.add(waiting.reason)


def test_a_run_follows_a_failover_between_two_migrations(line, pair: Pair, visit) -> None:
    dsn = pair.dsn("primary", "standby", more="target_session_attrs=read-write")
    failover = Failover(pair, after=3)

    done = migrate(dsn, line.files(), observer=failover, options=Options(durable=True))

    assert [step.migration.version for step in done] == failover.done == [3, 4]
    assert failover.reasons == {"server"}
    after = visit(pair.dsn("standby"))
    assert (after.applied(), after.all("select x from a order by x")) == ([1, 2, 3, 4], [2, 3, 4])


@pytest.mark.parametrize("options", ["", "transaction:false"], ids=["transactional", "non-transactional"])
def test_the_next_run_continues_after_a_failover_during_a_migration(
    line, pair: Pair, visit, options: str
) -> None:
    dsn = pair.dsn("primary", "standby", more="target_session_attrs=read-write")
    held = "insert into a values (5);\nselect pg_advisory_xact_lock_shared(777);\ninsert into a values (6);"
    line.migration("0005_held", held, options=options)
    gate = visit(pair.dsn("primary"))
    gate.shut_gate()
    running = line.start("migrate", dsn=dsn)
    gate.wait_at_gate()

    pair.stop_primary()
    ended = running.result()
    pair.promote()
    again = line.run("migrate", dsn=dsn)

    assert ended.status == (7 if options else 4)
    assert "The connection to the server was lost." in ended.out
    assert again.status == 0, again.out
    # Asynchronous commits may be lost together with their ledger rows.
    after = visit(pair.dsn("standby"))
    assert (after.applied(), after.all("select x from a order by x")) == ([1, 2, 3, 4, 5], [2, 3, 4, 5, 6])
