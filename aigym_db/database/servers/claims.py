"""Folders of throwaway servers: file locks distinguish folders in use from abandoned ones."""

from __future__ import annotations

import contextlib
import fcntl
import os
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from aigym_db.database.servers import folders
from aigym_db.database.servers.account import Account

PREFIX = "aigym-db-"
_CLAIM = "claim"
_FRESH_S = 60.0
"""Minimum age of a folder without a claim file before it counts as abandoned, in seconds."""


@dataclass(frozen=True)
class Claim:
    """A folder reserved for this process until `release` or until the process ends."""

    folder: Path
    _file: int

    def release(self) -> None:
        """Remove the folder and release the claim; a second call has no effect."""
        folders.remove(self.folder)
        with contextlib.suppress(OSError):
            os.close(self._file)


def claim(owner: Account) -> Claim:
    """Create a private folder for throwaway data and reserve it."""
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=folders.scratch()[0]))
    # Renamed only when locked, so that no other process finds an unlocked claim file.
    unnamed = folder / f"{_CLAIM}.new"
    file = os.open(unnamed, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    # The kernel releases the lock when the last process with the open file ends.
    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    unnamed.rename(folder / _CLAIM)
    owner.give(folder)
    return Claim(folder, file)


def abandoned(owner: Account) -> Iterator[Path]:
    """Yield the folders of throwaway servers whose process has ended."""
    for place in folders.scratch():
        for folder in place.glob(f"{PREFIX}*"):
            with contextlib.suppress(OSError):
                if _is_abandoned(folder, owner):
                    yield folder


def _is_abandoned(folder: Path, owner: Account) -> bool:
    status = folder.lstat()
    if status.st_uid not in (owner.uid, os.geteuid()) or not folder.is_dir() or folder.is_symlink():
        return False
    try:
        file = os.open(folder / _CLAIM, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        # A folder of another program, or one that is being created or removed.
        return (folder / "data").is_dir() and time.time() - status.st_mtime > _FRESH_S
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(file)
    return True
