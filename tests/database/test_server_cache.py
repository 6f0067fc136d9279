"""Clusters created once and copied for each server: shared, repaired, never incomplete."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from aigym_db.database.servers.cleanup import gc
from aigym_db.database.servers.databases import clone
from aigym_db.database.servers.server import TEMPLATE
from aigym_db.database.servers.throwaway import throwaway
from aigym_db.errors import StatementFailed
from tests.support.sampling import sampled

BUILDER = """
import psycopg, sys
from aigym_db.database.servers.throwaway import throwaway
def build(dsn):
    print("built", flush=True)
    with psycopg.connect(dsn) as connection:
        connection.execute("create table made (id int)")
with throwaway(template_key="one", build=build) as server:
    with psycopg.connect(server.dsn("template")) as connection:
        connection.execute("select from made")
    print("used", flush=True)
"""

BUILDER_THAT_HANGS = """
import sys
from aigym_db.database.servers.throwaway import throwaway
def build(dsn):
    print("building", flush=True)
    sys.stdin.read()
with throwaway(template_key="one", build=build):
    pass
"""

Run = Callable[[str], "subprocess.Popen[str]"]


class Build:
    """Create a table and a role, and count the calls."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self, dsn: str) -> None:
        self.times += 1
        with psycopg.connect(dsn) as connection:
            connection.execute("create table made as select generate_series(1, 10) as id")
            connection.execute("create role made_role")


@pytest.fixture
def build() -> Build:
    return Build()


def rows(dsn: str) -> object:
    with psycopg.connect(dsn) as connection:
        return connection.execute(
            "select count(*) from made, pg_roles where rolname = 'made_role'"
        ).fetchone()


def cached_cluster(cache: Path, holding: str) -> Path:
    """Return the only cached cluster with a template database on disk, by its number of databases."""
    clusters = [folder for folder in (cache / "clusters").iterdir() if (folder / "data" / "base").is_dir()]
    databases = {folder: len(list((folder / "data" / "base").iterdir())) for folder in clusters}
    return (max if holding == "template" else min)(clusters, key=lambda folder: databases[folder])


def test_a_template_is_built_once_and_then_copied(own_cache: Path, build: Build) -> None:
    with throwaway(template_key="one", build=build) as first:
        rows_first = rows(first.dsn(TEMPLATE))
    with throwaway(template_key="one", build=build) as second:
        rows_second = rows(second.dsn(TEMPLATE))

    assert build.times == 1
    assert rows_first == rows_second == (10,)


@pytest.mark.exhaustive
def test_another_key_is_another_template(own_cache: Path, build: Build) -> None:
    with throwaway(template_key="one", build=build), throwaway(template_key="two", build=build):
        pass

    assert build.times == 2


def test_changes_to_a_template_are_not_visible_on_another_server(own_cache: Path, build: Build) -> None:
    with (
        throwaway(template_key="one", build=build) as first,
        psycopg.connect(first.dsn(TEMPLATE)) as connection,
    ):
        connection.execute("drop table made")

    with throwaway(template_key="one", build=build) as second:
        assert rows(clone(second, TEMPLATE).dsn) == (10,)


def test_a_failed_build_is_not_cached(own_cache: Path, build: Build) -> None:
    def failing(dsn: str) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), throwaway(template_key="one", build=failing):
        pass
    with throwaway(template_key="one", build=build) as server:
        assert rows(server.dsn(TEMPLATE)) == (10,)


def test_a_killed_build_is_repeated(own_cache: Path, build: Build, another_python: Run) -> None:
    builder = another_python(BUILDER_THAT_HANGS)
    assert builder.stdout is not None
    builder.stdout.readline()
    builder.kill()
    builder.wait()

    with throwaway(template_key="one", build=build) as server:
        assert rows(server.dsn(TEMPLATE)) == (10,)


def test_concurrent_processes_build_a_template_once(own_cache: Path, another_python: Run) -> None:
    builders = [another_python(BUILDER) for _ in range(3)]

    outputs = [builder.communicate()[0].split() for builder in builders]

    assert sorted(outputs) == [["built", "used"], ["used"], ["used"]]


@pytest.mark.parametrize("holding", ["template", "nothing"])
@pytest.mark.parametrize("lost", sampled(["data/global/pg_control", "data/PG_VERSION", "extent"], 3))
def test_a_cached_cluster_with_a_missing_file_is_created_again(
    own_cache: Path, build: Build, lost: str, holding: str
) -> None:
    with throwaway(template_key="one", build=build):
        pass
    (cached_cluster(own_cache, holding) / lost).unlink()

    with throwaway() as plain, throwaway(template_key="one", build=build) as server:
        assert plain.major == 18
        assert rows(server.dsn(TEMPLATE)) == (10,)

    assert (cached_cluster(own_cache, holding) / lost).exists()


@pytest.mark.exhaustive
def test_a_cached_cluster_with_a_truncated_file_is_created_again(own_cache: Path, build: Build) -> None:
    with throwaway(template_key="one", build=build):
        pass
    (cached_cluster(own_cache, "template") / "data" / "global" / "pg_filenode.map").write_bytes(b"")

    with throwaway(template_key="one", build=build) as server:
        assert rows(server.dsn(TEMPLATE)) == (10,)

    assert build.times == 2


@pytest.mark.exhaustive
def test_a_cached_cluster_that_does_not_start_is_created_again(own_cache: Path, build: Build) -> None:
    with throwaway(template_key="one", build=build):
        pass
    control = cached_cluster(own_cache, "template") / "data" / "global" / "pg_control"
    control.write_bytes(b"\xff" * control.stat().st_size)

    with throwaway(template_key="one", build=build) as server:
        assert rows(server.dsn(TEMPLATE)) == (10,)

    assert build.times == 2


@pytest.mark.exhaustive
def test_a_build_with_an_sql_error_raises_it_and_is_not_retried(own_cache: Path) -> None:
    calls = []

    def failing(dsn: str) -> None:
        calls.append(dsn)
        raise StatementFailed("no such thing")

    with pytest.raises(StatementFailed, match="no such thing"), throwaway(template_key="one", build=failing):
        pass

    assert len(calls) == 1


@pytest.mark.exhaustive
def test_gc_removes_unused_and_incomplete_clusters(own_cache: Path, build: Build) -> None:
    with throwaway(template_key="one", build=build):
        pass
    used = cached_cluster(own_cache, "template")
    incomplete = used.with_name(f"{used.name}.making-left")
    incomplete.mkdir()

    removed_soon = gc(unused_days=1)
    removed_late = gc(unused_days=-1)

    # A subset of the result: gc also removes clusters of other processes on this machine.
    assert incomplete in removed_soon
    assert used not in removed_soon
    assert used in removed_late
    assert not used.exists()
