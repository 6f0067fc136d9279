"""aigym-db, by the program that its package installs."""

from __future__ import annotations

import sys
from pathlib import Path

from benchmarks.migrations.contender import Contender
from benchmarks.process import Command, measured


class Ours(Contender):
    """A project of its own, frozen."""

    name = "aigym-db"

    def write(self) -> None:
        folder = self.folder / "migrations"
        folder.mkdir()
        for one in self.chain.migrations:
            text = f"-- {one.version:04d} {one.name}\n-- migrate:up\n{one.up}\n-- migrate:down\n{one.down}"
            (folder / f"{one.label}.sql").write_text(text)
        measured(self._command("freeze"))

    def up(self, dsn: str) -> Command:
        return self._command("--database", dsn, "migrate")

    def back(self, dsn: str, count: int) -> tuple[Command, ...]:
        return (self._command("--database", dsn, "rollback", "--steps", str(count)),)

    def _command(self, *words: str) -> Command:
        program = Path(sys.executable).with_name("aigym-db")
        return Command([str(program), "-C", str(self.folder), *words])
