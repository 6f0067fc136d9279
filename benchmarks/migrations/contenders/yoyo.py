"""yoyo with psycopg2: one Python file per migration, its SQL as one step."""

from __future__ import annotations

from pathlib import Path

from benchmarks.migrations.chain import Chain
from benchmarks.migrations.contender import Contender, socket_url
from benchmarks.process import Command

STEP = '''from yoyo import step
__depends__ = {depends}
steps = [step("""{up}""", """{down}""")]
'''


class Yoyo(Contender):
    """yoyo in a separate virtual environment. It sends a Python step as a whole but splits SQL files."""

    name = "yoyo"

    def __init__(self, folder: Path, chain: Chain, program: Path) -> None:
        self.program = program
        super().__init__(folder, chain)

    @staticmethod
    def installed(peers: Path) -> Path | None:
        """Return its program among the peers; None if it is missing."""
        program = peers / "venv/bin/yoyo"
        return program if program.exists() else None

    def write(self) -> None:
        depends: set[str] = set()
        for migration in self.chain.migrations:
            text = STEP.format(
                depends=repr(depends) if depends else "{}", up=migration.up, down=migration.down
            )
            (self.folder / f"{migration.label}.py").write_text(text)
            depends = {migration.label}

    def up(self, dsn: str) -> Command:
        return self._command("apply", dsn)

    def rollback(self, dsn: str, count: int) -> tuple[Command, ...]:
        """Return the rollback of the oldest of them, on which all others depend."""
        return (self._command("rollback", dsn, "--revision", self.chain.migrations[-count].label),)

    def _command(self, word: str, dsn: str, *options: str) -> Command:
        words = [str(self.program), word, "--batch", "--no-config-file", "--database", socket_url(dsn)]
        return Command([*words, *options, str(self.folder)])
