"""graphile-migrate: committed migrations, each with the hash of the previous one; it cannot roll back."""

from __future__ import annotations

import hashlib
from pathlib import Path

from benchmarks.migrations.chain import Chain
from benchmarks.migrations.contender import Contender, socket_url
from benchmarks.process import Command


class Graphile(Contender):
    """graphile-migrate, with the Node.js on the path."""

    name = "graphile-migrate"

    def __init__(self, folder: Path, chain: Chain, program: Path) -> None:
        self.program = program
        super().__init__(folder, chain)

    @staticmethod
    def installed(peers: Path) -> Path | None:
        """Return its program among the peers; None if it is missing."""
        program = peers / "node_modules/graphile-migrate/dist/cli.js"
        return program if program.exists() else None

    def write(self) -> None:
        committed = self.folder / "migrations/committed"
        committed.mkdir(parents=True)
        (self.folder / ".gmrc").write_text("{}\n")
        previous = ""
        for migration in self.chain.migrations:
            body = migration.up.strip() + "\n"
            digest = hashlib.sha1(f"{previous}\n{body}".strip().encode() + b"\n").hexdigest()
            heading = f"--! Previous: {previous or '-'}\n--! Hash: sha1:{digest}\n\n"
            (committed / f"{migration.version:06d}.sql").write_text(heading + body)
            previous = f"sha1:{digest}"

    def up(self, dsn: str) -> Command:
        words = ["node", str(self.program), "migrate"]
        return Command(words, {"DATABASE_URL": socket_url(dsn)}, self.folder)
