"""Column type changed in a way that writes the table again.

Some changes only touch the catalog: varchar made longer or unlimited, varchar to text, more digits for
numeric with the same scale, more digits for a time, cidr to inet, timestamp to timestamptz while TimeZone
is UTC. About these nothing is said. Every other change writes the whole table and its indexes again under
an ACCESS EXCLUSIVE lock.

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
_LONG_WAY = (
    "Add a column of the new type, keep both in step with a trigger, fill it in batches, then swap the names."
)


@rule("LOCK18", "alter-type-rewrite", since="0.1", on=ast.AlterTableStmt, level="error", in_downs="note")
def check(step: StatementContext) -> Iterator[RuleMatch]:
    table = step.relation(step.tree.relation)
    for command in step.changes(AlterTableType.AT_AlterColumnType):
        column, new = table.columns.get(command.name), type_of(command.def_.typeName)
        what = f"{shown(table.name)}.{command.name}"
        if column is None:
            yield step.found(
                f"Changing the type of {what} writes the whole table again unless {new} holds the old "
                "values as they are; "
                "every read and write waits.",
                "Compare with the old type: `explain alter-type-rewrite` lists the changes that are free. "
                + _LONG_WAY,
                command,
                level="warning",
            )
            continue
        price = _price(step, column.type, new, command)
        if price == "rewrite":
            yield step.found(
                f"Changing {what} from {column.type} to {new} writes the whole table again; every read "
                "and write waits.",
                _LONG_WAY,
                command,
            )
        elif price == "zone":
            yield step.found(
                f"Changing {what} from {column.type} to {new} writes the whole table again unless the "
                "session's TimeZone is UTC.",
                "Run `set local timezone = 'UTC'` before it, if the old values are in UTC.",
                command,
            )
        elif price == "index" and any(command.name in index.columns for index in _indexes(step, table.name)):
            yield step.found(
                f"Changing {what} from {column.type} to {new} builds its indexes again; every read and "
                "write waits.",
                "Drop the indexes concurrently before, and build them concurrently after.",
                command,
            )


def _price(step: StatementContext, old: Type, new: Type, command: Any) -> Cost:
    if command.def_.raw_default is not None and not _only_casts(command.def_.raw_default, command.name, new):
        return "rewrite"
    domain = step.chain.type(new.name)
    if domain is not None and domain.kind == "domain" and domain.base is not None:
        return "rewrite" if domain.constrained else cost(old, domain.base)
    before = step.chain.type(old.name)
    if before is not None and before.kind == "domain" and before.base is not None:
        old = before.base
    price = cost(old, new)
    if price == "zone" and (step.chain.time_zone or "").lower() in _UTC:
        return "free"
    return price


def _only_casts(using: Any, column: str, new: Type) -> bool:
    """Whether USING is what PostgreSQL would do anyway: the column, or the column cast to the new type."""
    while is_a(using, ast.TypeCast) and type_of(using.typeName) == new:
        using = using.arg
    return is_a(using, ast.ColumnRef) and using.fields[-1].sval == column


def _indexes(step: StatementContext, table: str) -> Iterator[Any]:
    return (index for index in step.chain.indexes.values() if index.table == table)
