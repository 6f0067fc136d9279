"""PRIMARY KEY or UNIQUE constraint of a partitioned table without its partition column.

PostgreSQL rejects the constraint: each partition has a separate index, so only a key that includes the
partition columns can be unique across partitions.

Bad (rejected):
    create table coach.events (id bigint primary key, at timestamptz not null) partition by range (at);

Good:
    create table coach.events (
        id bigint,
        at timestamptz not null,
        primary key (id, at)
    ) partition by range (at);

Source: PostgreSQL documentation, Table Partitioning, Limitations; SQLSTATE 0A000.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pglast import ast
from pglast.enums import AlterTableType, ConstrType

from aigym_db.lint.rule import RuleMatch, rule
from aigym_db.lint.step import StatementContext
from aigym_db.syntax.tree import is_a, words

_KEYS = (ConstrType.CONSTR_PRIMARY, ConstrType.CONSTR_UNIQUE)


@rule(
    "PART07",
    "key-without-partition-column",
    since="0.1",
    on=(ast.CreateStmt, ast.AlterTableStmt),
    level="error",
)
def check(step: StatementContext) -> Iterator[RuleMatch]:
    tree = step.tree
    if is_a(tree, ast.CreateStmt):
        partition_columns = (
            tuple(part.name or "" for part in tree.partspec.partParams) if tree.partspec else ()
        )
        keys = _keys(tree)
    else:
        partition_columns = step.relation(tree.relation).partition_key
        keys = [
            (command.def_, words(command.def_.keys))
            for command in tree.cmds
            if command.subtype == AlterTableType.AT_AddConstraint and command.def_.contype in _KEYS
        ]
    for node, columns in keys:
        missing = [column for column in partition_columns if column and column not in columns]
        if missing and not node.indexname:
            yield step.match(
                "PostgreSQL rejects this key: it does not include the partition column "
                f"{', '.join(missing)}.",
                f"Add {', '.join(missing)} to the key.",
                node,
            )


def _keys(tree: Any) -> list[tuple[Any, tuple[str, ...]]]:
    keys: list[tuple[Any, tuple[str, ...]]] = []
    for element in tree.tableElts or ():
        if is_a(element, ast.Constraint) and element.contype in _KEYS:
            keys.append((element, words(element.keys)))
        elif is_a(element, ast.ColumnDef):
            keys.extend(
                (constraint, (element.colname,))
                for constraint in element.constraints or ()
                if constraint.contype in _KEYS
            )
    return keys
