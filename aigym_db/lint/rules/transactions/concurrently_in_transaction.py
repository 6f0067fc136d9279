"""Statement that PostgreSQL refuses inside a transaction.

CREATE INDEX, DROP INDEX, REINDEX and DETACH PARTITION with CONCURRENTLY, VACUUM, CREATE and DROP DATABASE,
ALTER SYSTEM and a few others commit on their own in between, so they cannot be part of a transaction. A
migration is one unless its marker line says `transaction:false`.

Given:
    create table coach.sessions (id bigint primary key, coach_id bigint not null);

Bad (refused):
    begin;
    create index concurrently sessions_coach_id_idx on coach.sessions (coach_id);
    commit;

Good:
    create index concurrently sessions_coach_id_idx on coach.sessions (coach_id);

Source: PostgreSQL, PreventInTransactionBlock; SQLSTATE 25001.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pglast import ast
from pglast.enums import AlterTableType, ReindexObjectType

from aigym_db.lint.rule import RuleMatch, rule
from aigym_db.lint.step import StatementContext
from aigym_db.syntax.tree import is_a, is_on

_ALONE = (
    ast.CreatedbStmt,
    ast.DropdbStmt,
    ast.CreateTableSpaceStmt,
    ast.DropTableSpaceStmt,
    ast.AlterSystemStmt,
)
_WHOLE = {
    ReindexObjectType.REINDEX_OBJECT_SCHEMA,
    ReindexObjectType.REINDEX_OBJECT_SYSTEM,
    ReindexObjectType.REINDEX_OBJECT_DATABASE,
}
_ON = (
    ast.IndexStmt,
    ast.DropStmt,
    ast.ReindexStmt,
    ast.VacuumStmt,
    ast.ClusterStmt,
    ast.AlterTableStmt,
    *_ALONE,
)


@rule("TXN01", "concurrently-in-transaction", since="0.1", on=_ON, level="error")
def check(step: StatementContext) -> Iterator[RuleMatch]:
    what = _refused(step.tree)
    if what and step.in_transaction:
        place = "a DO block" if step.body == "do" else "a transaction"
        yield step.found(
            f"PostgreSQL refuses {what} inside {place}.",
            "Put it into a migration of its own whose marker says `-- migrate:up transaction:false`.",
        )


def _refused(tree: Any) -> str:
    if is_a(tree, ast.IndexStmt):
        return "CREATE INDEX CONCURRENTLY" if tree.concurrent else ""
    if is_a(tree, ast.DropStmt):
        return "DROP INDEX CONCURRENTLY" if tree.concurrent else ""
    if is_a(tree, ast.ReindexStmt):
        return "this REINDEX" if is_on(tree.params, "concurrently") or tree.kind in _WHOLE else ""
    if is_a(tree, ast.VacuumStmt):
        return "VACUUM" if tree.is_vacuumcmd else ""
    if is_a(tree, ast.ClusterStmt):
        return "" if tree.relation else "CLUSTER without a table"
    if is_a(tree, ast.AlterTableStmt):
        concurrent = any(
            command.subtype == AlterTableType.AT_DetachPartition and command.def_.concurrent
            for command in tree.cmds
        )
        return "DETACH PARTITION CONCURRENTLY" if concurrent else ""
    return "this statement"
