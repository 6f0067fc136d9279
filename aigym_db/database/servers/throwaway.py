"""Throwaway servers: started from a cached cluster, not durable, stopped when their process ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from aigym_db.database.servers import claims, cluster
from aigym_db.database.servers.account import Account, account
from aigym_db.database.servers.binaries import Binaries, find
from aigym_db.database.servers.cleanup import sweep
from aigym_db.database.servers.databases import create_database
from aigym_db.database.servers.keeper import Keeper
from aigym_db.database.servers.server import Server

TEMPLATE = "template"
"""The database that `build` fills and that `clone` copies."""

_REPAIRS = 3
"""Maximum number of attempts to replace a damaged cluster in the cache."""

Build = Callable[[str], object]

UNSAFE = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}
"""Settings for data that may be lost: they are faster, and a crash of the machine loses the data."""

SETTINGS = {
    **UNSAFE,
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    # The data may be in shared memory, and the WAL should not use more of it than the tables.
    "max_wal_size": "256MB",
    "wal_init_zero": "off",
    "wal_recycle": "off",
    "checkpoint_timeout": "1h",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_min_messages": "fatal",
}


@dataclass(frozen=True)
class Throwaway(Server):
    """A server that is removed with its data when it is stopped or the process that started it ends."""

    keeper: Keeper = field(repr=False)
    claim: claims.Claim = field(repr=False)

    def stop(self) -> None:
        """Stop the server and remove its data; no effect if it is stopped already."""
        self.keeper.stop()
        self.claim.release()


@contextmanager
def throwaway(
    name: str = "embedded",
    *,
    template_key: str | None = None,
    build: Build | None = None,
    settings: Mapping[str, str] | None = None,
) -> Iterator[Throwaway]:
    """Start a server for the duration of the `with` block.

    With `template_key` and `build`, it has a database called `template`, which `build(dsn)` fills at the
    first use of this key on the machine; roles and other objects of the cluster that `build` creates exist as
    well. Use another key whenever `build` would have another result. `settings` are added to the settings of
    all throwaway servers.

    Raise ServerUnfit (AIG-G005) if the server cannot be started.
    """
    server = start(name, template_key=template_key, build=build, settings=settings)
    try:
        yield server
    finally:
        server.stop()


def start(
    name: str = "embedded",
    *,
    template_key: str | None = None,
    build: Build | None = None,
    settings: Mapping[str, str] | None = None,
) -> Throwaway:
    """Start and return a server as `throwaway` does; the caller calls `stop()`."""
    sweep()
    owner = account()
    programs = find(name).readable_by(owner)
    wanted = {**SETTINGS, **(settings or {})}
    if template_key is None or build is None:
        return _started(programs, owner, wanted)
    place = cluster.stored(programs, template_key)
    return _repaired(place, lambda: _fill_template(place, programs, owner, build), programs, owner, wanted)


def _started(programs: Binaries, owner: Account, settings: Mapping[str, str]) -> Throwaway:
    place = cluster.stored(programs)
    return _repaired(place, lambda: _fill_fresh(place, programs, owner), programs, owner, settings)


def _repaired(
    place: cluster.Stored,
    fill: Callable[[], None],
    programs: Binaries,
    owner: Account,
    settings: Mapping[str, str],
) -> Throwaway:
    """Return a server on a copy of `place`, which is filled first if it is empty or damaged."""
    for _ in range(_REPAIRS):
        if not place.complete:
            fill()
        seen = place.identity
        try:
            return _launched(place, programs, owner, settings)
        except cluster.BrokenCluster:
            # Also raised while another process replaces it.
            place.discard(seen)
    fill()
    return _launched(place, programs, owner, settings)


def _launched(
    place: cluster.Stored, programs: Binaries, owner: Account, settings: Mapping[str, str]
) -> Throwaway:
    claim = claims.claim(owner)
    folder = claim.folder
    try:
        place.copy_to(folder / "data", owner)
        keeper = Keeper(programs, folder, {**settings, "unix_socket_directories": str(folder)}, owner)
        try:
            keeper.wait_until_ready()
        except BaseException:
            keeper.stop()
            # Checking the stored copy reads all of it, so it is done only after a failed start.
            place.check()
            raise
    except BaseException:
        claim.release()
        raise
    return Throwaway(programs, folder, folder, 5432, keeper, claim)


def _fill_fresh(place: cluster.Stored, programs: Binaries, owner: Account) -> None:
    with place.locked():
        if place.complete:
            return
        claim = claims.claim(owner)
        try:
            data = claim.folder / "data"
            cluster.initialise(programs, data, owner, "--auth=trust", *_fresh_options(programs))
            place.store(data)
        finally:
            claim.release()


def _fresh_options(programs: Binaries) -> tuple[str, ...]:
    # Small WAL segments: each throwaway server starts with a copy of one.
    small = ("--no-sync", "--no-instructions", "--wal-segsize=1")
    return (*small, "--no-data-checksums") if programs.major >= 18 else small


def _fill_template(place: cluster.Stored, programs: Binaries, owner: Account, build: Build) -> None:
    with place.locked():
        if place.complete:
            return
        server = _started(programs, owner, SETTINGS)
        try:
            create_database(server, TEMPLATE)
            build(server.dsn(TEMPLATE))
            server.keeper.shut_down()
            place.store(server.folder / "data")
        finally:
            server.stop()
