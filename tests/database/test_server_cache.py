"""Clusters made once and copied ever after: shared, repaired, never half-built."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from aigym_db.database.servers import TEMPLATE, clone, gc, throwaway
from aigym_db.errors import StatementFailed
from tests.support.sampling import sampled

BUILDER = """
import psycopg, sys
from aigym_db.database.servers import throwaway
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
from aigym_db.database.servers import throwaway
def build(dsn):
    print("building", flush=True)
    sys.stdin.read()
with throwaway(template_key="one", build=build):
    pass
"""

Run = Callable[[str], "subprocess.Popen[str]"]


class Build:
    """Makes a table and a role, and counts how often it was asked to."""

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


def the_cluster(cache: Path, holding: str) -> Path:
    """The only cached cluster that has a database named so on disk, told by how many databases it has."""
    clusters = [folder for folder in (cache / "clusters").iterdir() if (folder / "data" / "base").is_dir()]
    databases = {folder: len(list((folder / "data" / "base").iterdir())) for folder in clusters}
    return (max if holding == "template" else min)(clusters, key=lambda folder: databases[folder])


def test_a_template_is_built_once_and_is_there_ever_after(own_cache: Path, build: Build) -> None:
    with throwaway(template_key="one", build=build) as first:
        found_first = rows(first.dsn(TEMPLATE))
    with throwaway(template_key="one", build=build) as second:
        found_second = rows(second.dsn(TEMPLATE))

    assert build.times == 1
    assert found_first == found_second == (10,)


@pytest.mark.exhaustive
def test_another_key_is_another_template(own_cache: Path, build: Build) -> None:
    with throwaway(template_key="one", build=build), throwaway(template_key="two", build=build):
        pass

    assert build.times == 2


def test_what_one_server_does_to_the_template_no_other_one_sees(own_cache: Path, build: Build) -> None:
    with (
        throwaway(template_key="one", build=build) as first,
        psycopg.connect(first.dsn(TEMPLATE)) as connection,
    ):
        connection.execute("drop table made")

    with throwaway(template_key="one", build=build) as second:
        assert rows(clone(second, TEMPLATE).dsn) == (10,)


def test_a_build_that_fails_leaves_nothing_in_the_cache(own_cache: Path, build: Build) -> None:
    def failing(dsn: str) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), throwaway(template_key="one", build=failing):
        pass
    with throwaway(template_key="one", build=build) as server:
        assert rows(server.dsn(TEMPLATE)) == (10,)


def test_a_build_that_was_killed_is_done_again(own_cache: Path, build: Build, another_python: Run) -> None:
    builder = another_python(BUILDER_THAT_HANGS)
    assert builder.stdout is not None
    builder.stdout.readline()
    builder.kill()
    builder.wait()

    with throwaway(template_key="one", build=build) as server:
        assert rows(server.dsn(TEMPLATE)) == (10,)


def test_several_processes_at_once_build_a_template_once(own_cache: Path, another_python: Run) -> None:
    builders = [another_python(BUILDER) for _ in range(3)]

    said = [builder.communicate()[0].split() for builder in builders]

    assert sorted(said) == [["built", "used"], ["used"], ["used"]]


@pytest.mark.parametrize("holding", ["template", "nothing"])
@pytest.mark.parametrize("lost", sampled(["data/global/pg_control", "data/PG_VERSION", "extent"], 3))
def test_a_cached_cluster_that_lost_a_file_is_made_again(
    own_cache: Path, build: Build, lost: str, holding: str
) -> None:
    with throwaway(template_key="one", build=build):
        pass
    (the_cluster(own_cache, holding) / lost).unlink()

    with throwaway() as plain, throwaway(template_key="one", build=build) as server:
        assert plain.major == 18
        assert rows(server.dsn(TEMPLATE)) == (10,)

    assert (the_cluster(own_cache, holding) / lost).exists()


@pytest.mark.exhaustive
def test_a_cached_cluster_with_a_file_cut_short_is_made_again(own_cache: Path, build: Build) -> None:
    with throwaway(template_key="one", build=build):
        pass
    (the_cluster(own_cache, "template") / "data" / "global" / "pg_filenode.map").write_bytes(b"")

    with throwaway(template_key="one", build=build) as server:
        assert rows(server.dsn(TEMPLATE)) == (10,)

    assert build.times == 2


@pytest.mark.exhaustive
def test_a_cached_cluster_that_postgresql_does_not_start_on_is_made_again(
    own_cache: Path, build: Build
) -> None:
    with throwaway(template_key="one", build=build):
        pass
    control = the_cluster(own_cache, "template") / "data" / "global" / "pg_control"
    control.write_bytes(b"\xff" * control.stat().st_size)

    with throwaway(template_key="one", build=build) as server:
        assert rows(server.dsn(TEMPLATE)) == (10,)

    assert build.times == 2


@pytest.mark.exhaustive
def test_a_build_whose_sql_fails_is_the_callers_to_see_and_is_tried_once(own_cache: Path) -> None:
    asked = []

    def failing(dsn: str) -> None:
        asked.append(dsn)
        raise StatementFailed("no such thing")

    with pytest.raises(StatementFailed, match="no such thing"), throwaway(template_key="one", build=failing):
        pass

    assert len(asked) == 1


@pytest.mark.exhaustive
def test_gc_removes_clusters_nobody_used_for_long_and_half_made_ones(own_cache: Path, build: Build) -> None:
    with throwaway(template_key="one", build=build):
        pass
    used = the_cluster(own_cache, "template")
    half_made = used.with_name(f"{used.name}.making-left")
    half_made.mkdir()

    removed_soon = gc(unused_days=1)
    removed_late = gc(unused_days=-1)

    # Not all that was removed: what others on this machine left behind goes with it.
    assert half_made in removed_soon
    assert used not in removed_soon
    assert used in removed_late
    assert not used.exists()
