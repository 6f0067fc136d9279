"""yoyo with psycopg2: a Python file a migration, its SQL as one step."""

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
    """In an environment of its own. A step of Python text is sent whole; SQL files it would split first."""

    name = "yoyo"

    def __init__(self, folder: Path, chain: Chain, program: Path) -> None:
        self.program = program
        super().__init__(folder, chain)

    @staticmethod
    def installed(peers: Path) -> Path | None:
        """Its program among the peers."""
        program = peers / "venv/bin/yoyo"
        return program if program.exists() else None

    def write(self) -> None:
        depends: set[str] = set()
        for one in self.chain.migrations:
            text = STEP.format(depends=repr(depends) if depends else "{}", up=one.up, down=one.down)
            (self.folder / f"{one.label}.py").write_text(text)
            depends = {one.label}

    def up(self, dsn: str) -> Command:
        return self._command("apply", dsn)

    def back(self, dsn: str, count: int) -> tuple[Command, ...]:
        """Back to and with the oldest of them: all others depend on it."""
        return (self._command("rollback", dsn, "--revision", self.chain.migrations[-count].label),)

    def _command(self, word: str, dsn: str, *options: str) -> Command:
        words = [str(self.program), word, "--batch", "--no-config-file", "--database", socket_url(dsn)]
        return Command([*words, *options, str(self.folder)])
