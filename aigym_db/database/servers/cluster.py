"""Cached data folders: an empty cluster, or one that contains a template database."""

from __future__ import annotations

import hashlib
import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from aigym_db.database.servers import folders
from aigym_db.database.servers.account import Account
from aigym_db.database.servers.binaries import Binaries
from aigym_db.database.servers.process import environment
from aigym_db.database.servers.server import SUPERUSER
from aigym_db.errors import ServerUnfit

_LAYOUT = "1"
"""Part of every key: increment it when the format of the cache changes."""


class BrokenCluster(Exception):
    """The content of a stored folder has changed; the folder has to be created again."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A place in the cache for one data folder; another process may fill or remove it at any time."""

    folder: Path

    @property
    def complete(self) -> bool:
        """True if the place contains a data folder."""
        # Written before the rename, so an incomplete folder never has the final name.
        return (self.folder / "extent").is_file()

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Prevent other processes from filling or removing this place."""
        from filelock import FileLock

        self.folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with FileLock(f"{self.folder}.lock"):
            yield

    def store(self, data: Path) -> None:
        """Store a copy of `data`. The caller holds `locked`."""
        making = Path(tempfile.mkdtemp(prefix=f"{self.folder.name}.making-", dir=self.folder.parent))
        try:
            # Owned by this user: the user that servers run as must not modify the source of later copies.
            ours = Account(os.geteuid(), os.getegid(), dropped=False)
            extent = folders.copy(data, making / "data", ours)
            (making / "digest").write_text(folders.digest(making / "data"), encoding="ascii")
            (making / "extent").write_text(str(extent), encoding="ascii")
            folders.remove(self.folder)
            making.rename(self.folder)
        except BaseException:
            folders.remove(making)
            raise

    def copy_to(self, target: Path, owner: Account) -> None:
        """Copy the stored folder to `target`. Raise BrokenCluster if a file is missing."""
        try:
            extent = folders.copy(self.folder / "data", target, owner)
            stored = (self.folder / "extent").read_text(encoding="ascii")
            # The time of last use, which `gc` reads.
            os.utime(self.folder)
        except FileNotFoundError as error:
            raise BrokenCluster(str(error)) from error
        if str(extent) != stored:
            raise BrokenCluster(f"{self.folder}: stored {stored}, found {extent}")

    def check(self) -> None:
        """Verify the digest of the stored folder. Raise BrokenCluster if it differs."""
        try:
            same = folders.digest(self.folder / "data") == (self.folder / "digest").read_text(
                encoding="ascii"
            )
        except FileNotFoundError as error:
            raise BrokenCluster(str(error)) from error
        if not same:
            raise BrokenCluster(f"{self.folder}: the content is not what was stored")

    def discard(self, seen: int | None) -> None:
        """Remove the stored folder if its `identity` is still `seen`."""
        with self.locked():
            if self.identity == seen:
                folders.remove(self.folder)

    @property
    def identity(self) -> int | None:
        """A number that identifies the stored content; None for an empty place."""
        try:
            return self.folder.stat().st_ino
        except FileNotFoundError:
            return None


def stored(programs: Binaries, template_key: str | None = None) -> Stored:
    """Return the place in the cache for an empty cluster, or for one that contains a template database.

    It may be empty. The place depends on the server, the locale and `template_key`, the key of the template.
    """
    parts = (_LAYOUT, programs.identity, *map(" ".join, locales(programs)), template_key or "")
    key = hashlib.sha256("\0".join(parts).encode()).hexdigest()[:24]
    return Stored(home() / f"{programs.major}-{key}")


def home() -> Path:
    """Return the folder of all stored clusters."""
    return folders.cache() / "clusters"


def initialise(programs: Binaries, data: Path, owner: Account, *options: str) -> None:
    """Run `initdb` on a new folder, with the first of `locales` that the machine supports.

    Raise ServerUnfit (AIG-G005) if `initdb` fails; its detail contains the output.
    """
    output = ""
    for locale in locales(programs):
        try:
            done = subprocess.run(
                [
                    programs.program("initdb"),
                    "-D",
                    str(data),
                    "-U",
                    SUPERUSER,
                    "-E",
                    "UTF8",
                    *locale,
                    *options,
                ],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                cwd=data.parent,
                env=environment(),
                text=True,
                errors="replace",
                check=False,
                **owner.popen_options(),  # type: ignore[call-overload]
            )
        except OSError as error:
            output = str(error)
            break
        if done.returncode == 0:
            return
        output = "\n".join(done.stdout.splitlines()[-12:])
        folders.remove(data)
    raise ServerUnfit(
        f"A data folder for PostgreSQL {programs.major} ({programs.name}) could not be made.",
        detail=output,
        hint="Read the lines above; where these programs cannot run, use the server `system` or a DSN.",
    )


def locales(programs: Binaries) -> tuple[tuple[str, ...], ...]:
    """Return locale options of `initdb` by preference: code point collation, Unicode character classes."""
    if programs.major >= 17:
        return (("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),)
    ctypes = ("C.UTF-8", "en_US.UTF-8", "C")
    return tuple(("--locale=C", f"--lc-ctype={ctype}") for ctype in ctypes)
