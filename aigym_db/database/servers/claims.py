"""Folders of throwaway servers, and how to tell one that is in use from one that was left behind."""

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
"""How old a folder without a claim has to be before it counts as half removed."""


@dataclass(frozen=True)
class Claim:
    """A folder that is ours until `release`, or until this process ends, however it ends."""

    folder: Path
    _file: int

    def release(self) -> None:
        """Gives the folder up and removes what is left of it; calling it again does nothing."""
        folders.remove(self.folder)
        with contextlib.suppress(OSError):
            os.close(self._file)


def claim(owner: Account) -> Claim:
    """A new, private folder in the best place for throwaway data."""
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=folders.scratch()[0]))
    # It gets its name once it is locked, so that nobody finds it free.
    unnamed = folder / f"{_CLAIM}.new"
    file = os.open(unnamed, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    # The kernel drops the lock when the last process that holds the file ends: nothing to tidy, nothing to
    # forget.
    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    unnamed.rename(folder / _CLAIM)
    owner.give(folder)
    return Claim(folder, file)


def abandoned(owner: Account) -> Iterator[Path]:
    """The folders of throwaway servers whose process is gone."""
    for place in folders.scratch():
        for folder in place.glob(f"{PREFIX}*"):
            with contextlib.suppress(OSError):
                if _is_abandoned(folder, owner):
                    yield folder


def _is_abandoned(folder: Path, owner: Account) -> bool:
    found = folder.lstat()
    if found.st_uid not in (owner.uid, os.geteuid()) or not folder.is_dir() or folder.is_symlink():
        return False
    try:
        file = os.open(folder / _CLAIM, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        # Somebody else's folder, or one that is being made or removed.
        return (folder / "data").is_dir() and time.time() - found.st_mtime > _FRESH_S
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(file)
    return True
