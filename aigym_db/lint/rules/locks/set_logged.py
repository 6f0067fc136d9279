"""SET LOGGED or SET UNLOGGED on a table that may hold rows.

Both write the whole table and its indexes again under an ACCESS EXCLUSIVE lock; and an unlogged table is
empty after a crash and absent from every standby.

Given:
    create table coach.imports (id bigint primary key);

Bad:
    alter table coach.imports set unlogged;

Good:
    create unlogged table coach.staging (id bigint primary key);

Source: PostgreSQL documentation, ALTER TABLE, SET { LOGGED | UNLOGGED }.
"""

from __future__ import annotations

from collections.abc import Iterator

from pglast import ast
from pglast.enums import AlterTableType

from aigym_db.lint.rule import RuleMatch, rule
from aigym_db.lint.step import StatementContext, shown


@rule("LOCK25", "set-logged", since="0.1", on=ast.AlterTableStmt, level="error", in_downs="note")
def check(step: StatementContext) -> Iterator[RuleMatch]:
    for command in step.changes(AlterTableType.AT_SetLogged, AlterTableType.AT_SetUnLogged):
        table = shown(step.key(step.tree.relation))
        yield step.found(
            f"{table} is written again; every read and write of it waits until that is done.",
            "Create a new table of the kind you want and copy the rows in batches.",
            command,
        )
