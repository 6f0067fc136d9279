"""Sqitch: a deploy and a revert script per change, each run by a separate psql."""

from __future__ import annotations

import shutil
from pathlib import Path

from benchmarks.migrations.chain import Chain
from benchmarks.migrations.contender import Contender, libpq_environment
from benchmarks.process import Command

PLANNER = "benchmark <benchmark@example.org>"


class Sqitch(Contender):
    """Sqitch as packaged by the operating system, with the psql of the server."""

    name = "Sqitch"
    most_migrations = 120
    most_rounds = 2

    def __init__(self, folder: Path, chain: Chain, program: Path, psql: str) -> None:
        self.program = program
        self.psql = psql
        super().__init__(folder, chain)

    @staticmethod
    def installed() -> Path | None:
        """Return its program on the path; None if it is missing."""
        program = shutil.which("sqitch")
        return Path(program) if program else None

    def write(self) -> None:
        plan = ["%syntax-version=1.0.0", "%project=benchmark", ""]
        for kind in ("deploy", "revert"):
            (self.folder / kind).mkdir()
        for migration in self.chain.migrations:
            (self.folder / "deploy" / f"{migration.label}.sql").write_text(f"begin;\n{migration.up}commit;\n")
            (self.folder / "revert" / f"{migration.label}.sql").write_text(
                f"begin;\n{migration.down}commit;\n"
            )
            plan.append(f"{migration.label} 2026-01-01T00:00:00Z {PLANNER} # {migration.name}")
        (self.folder / "sqitch.plan").write_text("\n".join(plan) + "\n")
        (self.folder / "sqitch.conf").write_text(
            f'[core]\n\tengine = pg\n[engine "pg"]\n\tclient = {self.psql}\n'
        )

    def up(self, dsn: str) -> Command:
        return self._command(dsn, "deploy")

    def again(self, dsn: str) -> Command:
        return self._command(dsn, "deploy")

    def rollback(self, dsn: str, count: int) -> tuple[Command, ...]:
        remaining = len(self.chain) - count
        to = self.chain.migrations[remaining - 1].label if remaining else "@ROOT^"
        return (self._command(dsn, "revert", "-y", "--to", to),)

    def _command(self, dsn: str, *words: str) -> Command:
        environment = {
            **libpq_environment(dsn),
            "SQITCH_FULLNAME": "benchmark",
            "SQITCH_EMAIL": "benchmark@example.org",
        }
        return Command([str(self.program), *words, "db:pg:"], environment, self.folder)
