"""psql: one process, statement by statement, a transaction and a ledger row per migration."""

from __future__ import annotations

from pathlib import Path

from benchmarks.migrations.chain import Chain, Migration
from benchmarks.migrations.contender import Contender
from benchmarks.process import Command

LEDGER = """create table ledger (id bigint generated always as identity primary key, version integer,
  name text, checksum text, sql text, who text default session_user,
  at timestamptz default clock_timestamp());
"""
APPLIED = "select version from ledger order by id desc limit 1"


class Psql(Contender):
    """The limit: psql checks nothing, parses little and starts fast."""

    name = "psql"

    def __init__(self, folder: Path, chain: Chain, program: str) -> None:
        self.program = program
        super().__init__(folder, chain)

    def write(self) -> None:
        ups = "".join(_transaction(migration, migration.up) for migration in self.chain.migrations)
        (self.folder / "up.sql").write_text(LEDGER + ups)

    def up(self, dsn: str) -> Command:
        return self._file(dsn, "up.sql")

    def again(self, dsn: str) -> Command:
        return Command([self.program, dsn, "-qXAt", "-c", APPLIED])

    def rollback(self, dsn: str, count: int) -> tuple[Command, ...]:
        newest = reversed(self.chain.migrations[-count:])
        (self.folder / "down.sql").write_text(
            "".join(_transaction(migration, migration.down) for migration in newest)
        )
        return (self._file(dsn, "down.sql"),)

    def _file(self, dsn: str, name: str) -> Command:
        return Command([self.program, dsn, "-qX", "-v", "ON_ERROR_STOP=1", "-f", str(self.folder / name)])


def _transaction(migration: Migration, sql: str) -> str:
    # Only aigym-db stores the text of a large file in its ledger, so psql is not made to.
    kept = f"$row${migration.up}$row$" if len(migration.up) < 100_000 else "null"
    row = (
        "insert into ledger (version, name, checksum, sql) values "
        f"({migration.version}, '{migration.name}', '{'0' * 64}', {kept});"
    )
    return f"begin;\n{sql}{row}\ncommit;\n"
