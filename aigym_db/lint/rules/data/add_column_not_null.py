"""NOT NULL column without a default added to a table that may contain rows.

The statement fails if the table contains a row: "column contains null values". On an empty test database it
succeeds.

Given:
    create table coach.sessions (id bigint primary key);
    insert into coach.sessions values (1);

Bad (rejected):
    alter table coach.sessions add column rating integer not null;

Good:
    alter table coach.sessions add column rating integer not null default 0;

Source: PostgreSQL documentation, ALTER TABLE, ADD COLUMN.
"""

from __future__ import annotations

from collections.abc import Iterator

from pglast import ast
from pglast.enums import ConstrType

from aigym_db.lint.rule import RuleMatch, rule
from aigym_db.lint.step import StatementContext, shown
from aigym_db.lint.types import is_serial
from aigym_db.syntax.tree import constant, is_a

_FILLED = {ConstrType.CONSTR_IDENTITY, ConstrType.CONSTR_GENERATED}
_NEVER_NULL = {ConstrType.CONSTR_NOTNULL, ConstrType.CONSTR_PRIMARY}


@rule("DATA07", "add-column-not-null", since="0.1", on=ast.AlterTableStmt, level="error", in_downs="skip")
def check(step: StatementContext) -> Iterator[RuleMatch]:
    for column in step.added_columns():
        constraints = {constraint.contype: constraint for constraint in column.constraints or ()}
        default = constraints.get(ConstrType.CONSTR_DEFAULT)
        filled = default is not None and not (
            is_a(default.raw_expr, ast.A_Const) and constant(default.raw_expr) is None
        )
        if filled or is_serial(column.typeName) or constraints.keys() & _FILLED:
            continue
        if constraints.keys() & _NEVER_NULL:
            table = shown(step.key(step.tree.relation))
            yield step.match(
                f"This fails if {table} contains a row: {column.colname} would be null.",
                "Give the column a constant default, or add it as nullable, fill it, and set NOT "
                "NULL in a later migration.",
                column,
            )
