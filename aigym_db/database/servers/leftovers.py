"""Tidying: what throwaway servers left behind, and what in the cache nobody uses any more."""

from __future__ import annotations

import os
import time
from pathlib import Path

from aigym_db.database.servers import claims, cluster, folders
from aigym_db.database.servers.account import account
from aigym_db.database.servers.home import STATE, Home
from aigym_db.database.servers.process import kill

UNUSED_DAYS = 30
"""How long a cached cluster is kept after its last use."""

KEPT = 32
"""How many cached clusters are kept at most, the last used ones; each takes about 20 MB."""


def sweep() -> tuple[Path, ...]:
    """Ends the throwaway servers whose process is gone, removes their folders and returns these."""
    found = tuple(claims.abandoned(account()))
    for folder in found:
        kill(folder / "data")
        folders.remove(folder)
    return found


def gc(unused_days: float = UNUSED_DAYS) -> tuple[Path, ...]:
    """`sweep`, the cached clusters nobody used for `unused_days` or beyond the newest `KEPT`, and root's
    servers of projects that are gone; returns what was removed.
    """
    used = sorted((path.stat().st_mtime for path in _cached()), reverse=True)
    newest = used[KEPT - 1] if len(used) >= KEPT else 0.0
    return (*sweep(), *_outdated(max(time.time() - unused_days * 86_400, newest)), *_orphaned())


def _cached() -> list[Path]:
    return sorted(path for path in cluster.home().glob("*") if path.is_dir())


def _outdated(oldest_s: float) -> tuple[Path, ...]:
    from filelock import FileLock, Timeout

    removed: list[Path] = []
    for folder in _cached():
        # `<place>.making-…` is left over unless its maker still holds the lock of the place.
        place = folder.with_name(folder.name.partition(".")[0])
        try:
            with FileLock(f"{place}.lock", timeout=0):
                if folder.stat().st_mtime < oldest_s or folder != place:
                    folders.remove(folder)
                    removed.append(folder)
        except (Timeout, FileNotFoundError):
            continue
    return tuple(removed)


def _orphaned() -> tuple[Path, ...]:
    if os.geteuid() != 0:
        return ()
    removed = tuple(folder for folder in sorted(STATE.glob("*")) if Home(folder).orphaned)
    for folder in removed:
        Home(folder).shut_down()
        folders.remove(folder)
    return removed
