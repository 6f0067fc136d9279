"""SET LOGGED or SET UNLOGGED on a table that may contain rows.

Both rewrite the whole table and its indexes under an ACCESS EXCLUSIVE lock, which blocks reads and writes. An
unlogged table is truncated after a crash and is not replicated to standbys.

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
        yield step.match(
            f"This rewrites {table}, which blocks reads and writes until it is complete.",
            "Create a new table of the intended kind and copy the rows in batches.",
            command,
        )
