"""Throwaway servers: they start from a cached cluster, are not durable, and end with their process."""

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

Build = Callable[[str], object]

UNSAFE = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}
"""Faster, and a crash of the machine loses the data: only ever for data that is to be thrown away."""

SETTINGS = {
    **UNSAFE,
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    # It may lie in memory, of which the log should not take more than the data.
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
    """A server that is gone, with all it holds, once it is stopped or its process ends."""

    keeper: Keeper = field(repr=False)
    claim: claims.Claim = field(repr=False)

    def stop(self) -> None:
        """Ends the server and removes its data; calling it again does nothing."""
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
    """A server of its own for the `with` block.

    With `template_key` and `build` it comes with a database called `template`, which `build(dsn)` filled the
    first time this key was asked for on this machine; what `build` did to the cluster (roles) is there too.
    The key must change whenever `build` would do something else. `settings` are added to those of every
    throwaway server.

    Raises ServerUnfit (AIG-G005) when it cannot be started here.
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
    """`throwaway` without the block, for callers with a life of their own; they call `stop()`."""
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
    """A server on a copy of `place`, which is filled when it is empty or what it holds is broken."""
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
    # Small segments: a new cluster holds one, and every throwaway server begins with a copy of it.
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
