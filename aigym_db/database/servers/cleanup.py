"""Remove abandoned throwaway servers, unused cached clusters, and on request servers of deleted projects."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from pathlib import Path

from aigym_db.database.servers import claims, cluster, folders
from aigym_db.database.servers.account import account
from aigym_db.database.servers.home import STATE, Home
from aigym_db.database.servers.process import kill

UNUSED_DAYS = 30
"""Days that a cached cluster is kept after its last use."""

KEPT = 32
"""Maximum number of cached clusters, the most recently used ones; each takes about 20 MB."""


def sweep() -> tuple[Path, ...]:
    """Stop the throwaway servers whose process has ended, remove their folders and return them."""
    abandoned = tuple(claims.abandoned(account()))
    for folder in abandoned:
        kill(folder / "data")
        folders.remove(folder)
    return abandoned


def gc(unused_days: float = UNUSED_DAYS) -> tuple[Path, ...]:
    """Remove abandoned throwaway servers and unused clusters of all projects; return their folders.

    Data of local servers is kept; see `orphaned`. A cluster is unused after `unused_days` days, or if `KEPT`
    others were used more recently.
    """
    used = sorted((path.stat().st_mtime for path in _cached()), reverse=True)
    newest = used[KEPT - 1] if len(used) >= KEPT else 0.0
    return (*sweep(), *_outdated(max(time.time() - unused_days * 86_400, newest)))


def orphaned() -> tuple[Home, ...]:
    """Return the local servers whose data is outside their project and whose project folder is missing.

    The folder may be deleted, or on a disk that is not mounted, so the data is removed on request only.
    """
    homes = (Home(folder) for folder in sorted(STATE.glob("*")) if os.access(folder, os.R_OK | os.X_OK))
    return tuple(home for home in homes if home.project is not None and not home.project.exists())


def remove_orphaned(homes: Iterable[Home]) -> tuple[Path, ...]:
    """Stop these servers and delete their data; return their folders."""
    removed = []
    for home in homes:
        home.shut_down()
        folders.remove(home.folder)
        removed.append(home.folder)
    return tuple(removed)


def _cached() -> list[Path]:
    return sorted(path for path in cluster.home().glob("*") if path.is_dir())


def _outdated(oldest_s: float) -> tuple[Path, ...]:
    from filelock import FileLock, Timeout

    removed: list[Path] = []
    for folder in _cached():
        # `<place>.making-…` is abandoned unless its creator still holds the lock of the place.
        place = folder.with_name(folder.name.partition(".")[0])
        try:
            with FileLock(f"{place}.lock", timeout=0):
                if folder.stat().st_mtime < oldest_s or folder != place:
                    folders.remove(folder)
                    removed.append(folder)
        except (Timeout, FileNotFoundError):
            continue
    return tuple(removed)
