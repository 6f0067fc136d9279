"""dbmate: one SQL file a migration, both directions in it."""

from __future__ import annotations

from pathlib import Path

from psycopg.conninfo import conninfo_to_dict

from benchmarks.migrations.chain import Chain
from benchmarks.migrations.contender import Contender
from benchmarks.process import Command


class Dbmate(Contender):
    """Its own binary: what npm puts into `.bin` would start a Node.js around it."""

    name = "dbmate"

    def __init__(self, folder: Path, chain: Chain, program: Path) -> None:
        self.program = program
        super().__init__(folder, chain)

    @staticmethod
    def installed(peers: Path) -> Path | None:
        """Its binary among the peers."""
        return next(iter(peers.glob("node_modules/@dbmate/*/bin/dbmate")), None)

    def write(self) -> None:
        for one in self.chain.migrations:
            text = f"-- migrate:up\n{one.up}\n-- migrate:down\n{one.down}"
            (self.folder / f"{one.label}.sql").write_text(text)

    def up(self, dsn: str) -> Command:
        return self._command(dsn, "up")

    def back(self, dsn: str, count: int) -> tuple[Command, ...]:
        """One call each: it undoes the newest only."""
        return (self._command(dsn, "down"),) * count

    def _command(self, dsn: str, word: str) -> Command:
        known = conninfo_to_dict(dsn)
        url = (
            f"postgres://{known['user']}@:{known['port']}/{known['dbname']}"
            f"?sslmode=disable&socket={known['host']}"
        )
        words = [str(self.program), "--no-dump-schema", "--migrations-dir", str(self.folder), word]
        return Command(words, {"DATABASE_URL": url})
