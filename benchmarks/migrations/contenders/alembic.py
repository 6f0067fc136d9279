"""Alembic with psycopg 3: one revision per migration, its SQL in `op.execute`, a transaction for each."""

from __future__ import annotations

from pathlib import Path

from benchmarks.migrations.chain import Chain
from benchmarks.migrations.contender import Contender, socket_url
from benchmarks.process import Command

ENVIRONMENT = """import os
from alembic import context
from sqlalchemy import create_engine
engine = create_engine(os.environ["BENCHMARK_URL"])
with engine.connect() as connection:
    context.configure(connection=connection, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()
"""
REVISION = '''from alembic import op
revision = "{version:04d}"
down_revision = {previous}
def upgrade():
    op.execute("""{up}""")
def downgrade():
    op.execute("""{down}""")
'''
READING = '''from pathlib import Path
from alembic import op
revision = "{version:04d}"
down_revision = {previous}
def upgrade():
    op.get_bind().exec_driver_sql(Path(__file__).with_suffix(".sql").read_text())
def downgrade():
    op.execute("""{down}""")
'''
LARGE_CHARACTERS = 1_000_000
"""Longer SQL is stored in a separate file."""


class Alembic(Contender):
    """Alembic in a separate virtual environment."""

    name = "Alembic"

    def __init__(self, folder: Path, chain: Chain, program: Path) -> None:
        self.program = program
        super().__init__(folder, chain)

    @staticmethod
    def installed(peers: Path) -> Path | None:
        """Return its program among the peers; None if it is missing."""
        program = peers / "venv/bin/alembic"
        return program if program.exists() else None

    def write(self) -> None:
        versions = self.folder / "versions"
        versions.mkdir()
        for migration in self.chain.migrations:
            previous = f'"{migration.version - 1:04d}"' if migration.version > 1 else None
            form = REVISION
            if len(migration.up) > LARGE_CHARACTERS:
                form = READING
                (versions / f"{migration.version:04d}.sql").write_text(migration.up)
            text = form.format(
                version=migration.version, previous=previous, up=migration.up, down=migration.down
            )
            (versions / f"{migration.version:04d}.py").write_text(text)
        (self.folder / "env.py").write_text(ENVIRONMENT)
        (self.folder / "alembic.ini").write_text(f"[alembic]\nscript_location = {self.folder}\n")

    def up(self, dsn: str) -> Command:
        return self._command(dsn, "upgrade", "head")

    def rollback(self, dsn: str, count: int) -> tuple[Command, ...]:
        return (self._command(dsn, "downgrade", f"-{count}"),)

    def _command(self, dsn: str, *words: str) -> Command:
        url = socket_url(dsn).replace("postgresql://", "postgresql+psycopg://", 1)
        start = [str(self.program), "-c", str(self.folder / "alembic.ini")]
        return Command([*start, *words], {"BENCHMARK_URL": url})
