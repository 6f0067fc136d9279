"""dbmate: one SQL file per migration with both directions."""

from __future__ import annotations

from pathlib import Path

from psycopg.conninfo import conninfo_to_dict

from benchmarks.migrations.chain import Chain
from benchmarks.migrations.contender import Contender
from benchmarks.process import Command


class Dbmate(Contender):
    """The binary of dbmate; the wrapper that npm installs in `.bin` starts Node.js first."""

    name = "dbmate"

    def __init__(self, folder: Path, chain: Chain, program: Path) -> None:
        self.program = program
        super().__init__(folder, chain)

    @staticmethod
    def installed(peers: Path) -> Path | None:
        """Return its binary among the peers; None if it is missing."""
        return next(iter(peers.glob("node_modules/@dbmate/*/bin/dbmate")), None)

    def write(self) -> None:
        for migration in self.chain.migrations:
            text = f"-- migrate:up\n{migration.up}\n-- migrate:down\n{migration.down}"
            (self.folder / f"{migration.label}.sql").write_text(text)

    def up(self, dsn: str) -> Command:
        return self._command(dsn, "up")

    def rollback(self, dsn: str, count: int) -> tuple[Command, ...]:
        """Return one call per migration: dbmate rolls back only the newest."""
        return (self._command(dsn, "down"),) * count

    def _command(self, dsn: str, word: str) -> Command:
        parameters = conninfo_to_dict(dsn)
        url = (
            f"postgres://{parameters['user']}@:{parameters['port']}/{parameters['dbname']}"
            f"?sslmode=disable&socket={parameters['host']}"
        )
        words = [str(self.program), "--no-dump-schema", "--migrations-dir", str(self.folder), word]
        return Command(words, {"DATABASE_URL": url})
