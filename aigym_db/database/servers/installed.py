"""Throwaway servers of installed programs: started from a cached cluster, stopped when their process ends."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from aigym_db.database.servers import claims, cluster
from aigym_db.database.servers.account import Account, account
from aigym_db.database.servers.binaries import Binaries, find
from aigym_db.database.servers.cleanup import sweep
from aigym_db.database.servers.databases import create_database
from aigym_db.database.servers.keeper import Keeper
from aigym_db.database.servers.server import SETTINGS, TEMPLATE, Build, InstalledServer, Throwaway

_REPAIRS = 3
"""Maximum number of attempts to replace a damaged cluster in the cache."""

_PRIVATE = {**SETTINGS, "listen_addresses": "", "unix_socket_permissions": "0700"}


@dataclass(frozen=True)
class InstalledThrowaway(InstalledServer, Throwaway):
    """A throwaway server that runs installed programs."""

    keeper: Keeper = field(repr=False)
    claim: claims.Claim = field(repr=False)

    def stop(self) -> None:
        self.keeper.stop()
        self.claim.release()


def start_installed(
    name: str, template_key: str | None, build: Build | None, settings: Mapping[str, str]
) -> InstalledThrowaway:
    """Start a server from a copy of the cached cluster, which is created on first use.

    The arguments are those of `throwaway`.
    """
    sweep()
    owner = account()
    programs = find(name).readable_by(owner)
    all_settings = {**_PRIVATE, **settings}
    if template_key is None or build is None:
        return _started(programs, owner, all_settings)
    place = cluster.stored(programs, template_key)
    return _repaired(
        place, lambda: _fill_template(place, programs, owner, build), programs, owner, all_settings
    )


def _started(programs: Binaries, owner: Account, settings: Mapping[str, str]) -> InstalledThrowaway:
    place = cluster.stored(programs)
    return _repaired(place, lambda: _fill_fresh(place, programs, owner), programs, owner, settings)


def _repaired(
    place: cluster.Stored,
    fill: Callable[[], None],
    programs: Binaries,
    owner: Account,
    settings: Mapping[str, str],
) -> InstalledThrowaway:
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
) -> InstalledThrowaway:
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
    return InstalledThrowaway(programs, folder, folder, 5432, keeper, claim)


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
        server = _started(programs, owner, _PRIVATE)
        try:
            create_database(server, TEMPLATE)
            build(server.dsn(TEMPLATE))
            server.keeper.shut_down()
            place.store(server.folder / "data")
        finally:
            server.stop()
