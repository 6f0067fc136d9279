"""The operating system user of a server: PostgreSQL does not run as root."""

from __future__ import annotations

import os
import stat
import sys
from dataclasses import dataclass
from pathlib import Path

from aigym_db.errors import ServerUnfit

# Least privilege first: on a machine with a PostgreSQL installation, `postgres` owns its data.
_UNPRIVILEGED = ("nobody", "postgres", "daemon")


@dataclass(frozen=True, slots=True)
class Account:
    """An operating system user, and whether aigym-db has to switch to it."""

    uid: int
    gid: int
    dropped: bool

    def popen_options(self) -> dict[str, object]:
        """Return the `subprocess` options that start a program as this user."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []} if self.dropped else {}

    def give(self, path: Path) -> None:
        """Make this user the owner of one file or folder."""
        if self.dropped:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)

    def can_reach(self, path: Path) -> bool:
        """Return True if this user may read `path` and enter every folder above it."""
        if not self.dropped:
            return os.access(path, os.R_OK)
        path = path.resolve()
        return self._may(path, stat.S_IROTH) and all(self._may(above, stat.S_IXOTH) for above in path.parents)

    def _may(self, path: Path, bit: int) -> bool:
        status = path.stat()
        shift = 6 if status.st_uid == self.uid else 3 if status.st_gid == self.gid else 0
        return bool(status.st_mode & (bit << shift))


def account(folder: Path | None = None) -> Account:
    """Return the user that servers run as; if `folder` exists, its owner.

    Raise ServerUnfit (AIG-G005) if no such user exists.
    """
    if sys.platform == "win32":
        raise ServerUnfit(
            "aigym-db cannot start PostgreSQL on Windows.",
            hint="Run aigym-db inside WSL, or give it a server that runs already: --database DSN.",
        )
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid(), dropped=False)
    if folder is not None and folder.exists() and (owner := folder.stat()).st_uid != 0:
        return Account(owner.st_uid, owner.st_gid, dropped=True)
    import pwd

    for name in _UNPRIVILEGED:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid, dropped=True)
    raise ServerUnfit(
        "PostgreSQL does not run as root, and this machine has no unprivileged user to run it as.",
        detail=f"Looked for: {', '.join(_UNPRIVILEGED)}.",
        hint="Create a user `postgres`, or run aigym-db as an ordinary user.",
    )
