"""Column type change that rewrites the table.

Some changes affect only the catalog and are not reported: a longer or unlimited varchar, varchar to text,
higher precision of numeric with the same scale, higher precision of a time type, cidr to inet, and timestamp
to timestamptz while TimeZone is UTC. Every other change rewrites the whole table and its indexes under an
ACCESS EXCLUSIVE lock, which blocks reads and writes.

Given:
    create table coach.sessions (
        id integer primary key, title varchar(20), price numeric(8,2), started_at timestamp
    );

Bad:
    alter table coach.sessions alter column id type bigint;

Bad:
    alter table coach.sessions alter column price type numeric(10,4);

Good:
    alter table coach.sessions alter column title type text;

Good:
    alter table coach.sessions alter column price type numeric(12,2);

Good:
    begin;
    set local timezone = 'UTC';
    alter table coach.sessions alter column started_at type timestamptz;
    commit;

Source: PostgreSQL documentation, ALTER TABLE, Notes; the list of free changes was measured on PostgreSQL
15, 16 and 18.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pglast import ast
from pglast.enums import AlterTableType

from aigym_db.lint.rule import RuleMatch, rule
from aigym_db.lint.step import StatementContext, shown
from aigym_db.lint.types import Cost, Type, cost, type_of
from aigym_db.syntax.tree import is_a

_UTC = {"utc", "etc/utc", "gmt", "etc/gmt", "zulu", "universal", "etc/universal", "greenwich"}
_NEW_COLUMN = (
    "Add a column of the new type, keep both in sync with a trigger, fill it in batches, then swap the names."
)


@rule("LOCK18", "alter-type-rewrite", since="0.1", on=ast.AlterTableStmt, level="error", in_downs="note")
def check(step: StatementContext) -> Iterator[RuleMatch]:
    table = step.relation(step.tree.relation)
    for command in step.changes(AlterTableType.AT_AlterColumnType):
        column, new = table.columns.get(command.name), type_of(command.def_.typeName)
        target = f"{shown(table.name)}.{command.name}"
        if column is None:
            yield step.match(
                f"Changing the type of {target} rewrites the whole table, which blocks reads and "
                f"writes, unless {new} has the same binary representation as the old type.",
                "Compare with the old type: `explain alter-type-rewrite` lists the changes that "
                "affect only the catalog. " + _NEW_COLUMN,
                command,
                level="warning",
            )
            continue
        effect = _effect(step, column.type, new, command)
        if effect == "rewrite":
            yield step.match(
                f"Changing {target} from {column.type} to {new} rewrites the whole table, which "
                "blocks reads and writes.",
                _NEW_COLUMN,
                command,
            )
        elif effect == "zone":
            yield step.match(
                f"Changing {target} from {column.type} to {new} rewrites the whole table unless the "
                "session's TimeZone is UTC.",
                "Run `set local timezone = 'UTC'` before it if the existing values are in UTC.",
                command,
            )
        elif effect == "index" and any(command.name in index.columns for index in _indexes(step, table.name)):
            yield step.match(
                f"Changing {target} from {column.type} to {new} rebuilds its indexes, which blocks "
                "reads and writes.",
                "Drop the indexes CONCURRENTLY first, and create them CONCURRENTLY afterwards.",
                command,
            )


def _effect(step: StatementContext, old: Type, new: Type, command: Any) -> Cost:
    if command.def_.raw_default is not None and not _only_casts(command.def_.raw_default, command.name, new):
        return "rewrite"
    domain = step.chain.type(new.name)
    if domain is not None and domain.kind == "domain" and domain.base is not None:
        return "rewrite" if domain.constrained else cost(old, domain.base)
    before = step.chain.type(old.name)
    if before is not None and before.kind == "domain" and before.base is not None:
        old = before.base
    effect = cost(old, new)
    if effect == "zone" and (step.chain.time_zone or "").lower() in _UTC:
        return "free"
    return effect


def _only_casts(using: Any, column: str, new: Type) -> bool:
    """Return whether USING is what PostgreSQL does anyway: the column, or the column cast to the new type."""
    while is_a(using, ast.TypeCast) and type_of(using.typeName) == new:
        using = using.arg
    return is_a(using, ast.ColumnRef) and using.fields[-1].sval == column


def _indexes(step: StatementContext, table: str) -> Iterator[Any]:
    return (index for index in step.chain.indexes.values() if index.table == table)
