"""The folders of servers: the cache, the folders for throwaway data, and copies between them."""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from aigym_db.database.servers.account import Account

SHARED_MEMORY = Path("/dev/shm")
SHARED_MEMORY_BYTES = 512 * 1024 * 1024
"""Free space required to store throwaway data in shared memory; containers often have 64 MB of it."""

SOCKET_PATH_BYTES = 103
"""Maximum length of a socket's path on every system (macOS: 104 with the final zero, Linux: 108)."""

_COPY_BYTES = 8 * 1024 * 1024


def cache() -> Path:
    """Return the cache folder, whose content may be deleted at any time; create it if it does not exist.

    `AIGYM_DB_CACHE` sets another folder. For root it is outside root's home, because the server's user has to
    read it. Raise PermissionError if it is not writable.
    """
    if chosen := os.environ.get("AIGYM_DB_CACHE"):
        return _created(Path(chosen).absolute())
    import platformdirs

    paths = platformdirs.PlatformDirs("aigym-db", appauthor=False)
    try:
        return _created(paths.site_cache_path if os.geteuid() == 0 else paths.user_cache_path)
    except OSError:
        # The home is not writable (a service account): a private folder among the temporary files.
        return _created(Path(tempfile.gettempdir()) / f"aigym-db-cache-{os.geteuid()}")


def scratch() -> tuple[Path, ...]:
    """Return the folders in which throwaway servers may be created, the preferred one first."""
    temporary = Path(tempfile.gettempdir())
    short = temporary if len(os.fsencode(temporary)) <= SOCKET_PATH_BYTES - 40 else Path("/tmp")
    if sys.platform == "linux" and _free(SHARED_MEMORY) >= SHARED_MEMORY_BYTES:
        return (SHARED_MEMORY, short)
    return (short, SHARED_MEMORY) if SHARED_MEMORY.is_dir() else (short,)


@dataclass(frozen=True, slots=True)
class Extent:
    """The number of files in a folder and their size; a complete copy has the same extent."""

    files: int
    size_bytes: int

    def __str__(self) -> str:
        return f"{self.files} files, {self.size_bytes} bytes"


def copy(source: Path, target: Path, owner: Account) -> Extent:
    """Copy a folder to the new folder `target`, owned by `owner`, and return the extent of the copy.

    The files are small, so most of the time is spent in system calls; several threads copy.
    """
    folders = [(source, target)]
    files: list[tuple[str, str]] = []
    for here, there in folders:
        there.mkdir(mode=0o700)
        owner.give(there)
        with os.scandir(here) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    folders.append((here / entry.name, there / entry.name))
                else:
                    files.append((entry.path, os.path.join(there, entry.name)))  # noqa: PTH118 - hot
    workers = min(4, os.cpu_count() or 1)
    parts = [files[start::workers] for start in range(workers)]
    with ThreadPoolExecutor(workers) as pool:
        sizes = pool.map(lambda part: _copy_files(part, owner), parts)
    return Extent(len(files), sum(sizes))


def digest(folder: Path) -> str:
    """Return the SHA-256 of the names and contents of all files in a folder, in hexadecimal."""
    total = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        total.update(str(path.relative_to(folder)).encode())
        total.update(path.read_bytes())
    return total.hexdigest()


def remove(folder: Path) -> None:
    """Remove a folder with its content; errors, such as a missing folder, are ignored."""
    shutil.rmtree(folder, ignore_errors=True)


def _copy_files(files: list[tuple[str, str]], owner: Account) -> int:
    total = 0
    for source, target in files:
        read = os.open(source, os.O_RDONLY)
        try:
            write = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            try:
                while chunk := os.read(read, _COPY_BYTES):
                    total += os.write(write, chunk)
                if owner.dropped:
                    os.fchown(write, owner.uid, owner.gid)
            finally:
                os.close(write)
        finally:
            os.close(read)
    return total


def _free(folder: Path) -> int:
    try:
        return shutil.disk_usage(folder).free if os.access(folder, os.W_OK | os.X_OK) else 0
    except OSError:
        return 0


def _created(folder: Path) -> Path:
    if not folder.is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        if os.geteuid() == 0:
            # Independent of root's umask: the server's user reads the programs in it.
            folder.chmod(0o755)
    if not os.access(folder, os.W_OK | os.X_OK):
        raise PermissionError(f"{folder} cannot be written")
    return folder
