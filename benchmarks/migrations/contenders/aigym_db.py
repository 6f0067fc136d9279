"""aigym-db: the installed program."""

from __future__ import annotations

import sys
from pathlib import Path

from benchmarks.migrations.contender import Contender
from benchmarks.process import Command, measured


class AigymDb(Contender):
    """aigym-db, with a frozen project."""

    name = "aigym-db"

    def write(self) -> None:
        folder = self.folder / "migrations"
        folder.mkdir()
        for migration in self.chain.migrations:
            heading = f"-- {migration.version:04d} {migration.name}"
            text = f"{heading}\n-- migrate:up\n{migration.up}\n-- migrate:down\n{migration.down}"
            (folder / f"{migration.label}.sql").write_text(text)
        measured(self._command("freeze"))

    def up(self, dsn: str) -> Command:
        return self._command("--database", dsn, "migrate")

    def rollback(self, dsn: str, count: int) -> tuple[Command, ...]:
        return (self._command("--database", dsn, "rollback", "--steps", str(count)),)

    def _command(self, *words: str) -> Command:
        program = Path(sys.executable).with_name("aigym-db")
        return Command([str(program), "-C", str(self.folder), *words])
