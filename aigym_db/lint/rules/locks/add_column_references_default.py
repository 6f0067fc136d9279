"""Column added with both a default and a foreign key to a table that may contain rows.

With a default, every row references a row of the other table, so all of them are looked up while writes to
both tables are blocked. Without a default the new column is null in every row and nothing is checked, which
is safe.

Given:
    create table coach.levels (id bigint primary key);
    create table coach.coaches (id bigint primary key);
    insert into coach.levels values (1);

Bad:
    alter table coach.coaches add column level_id bigint default 1 references coach.levels (id);

Good:
    alter table coach.coaches add column level_id bigint default 1;
    alter table coach.coaches
        add constraint coaches_level_id_fkey foreign key (level_id) references coach.levels (id) not valid;
    alter table coach.coaches validate constraint coaches_level_id_fkey;

Good:
    alter table coach.coaches add column level_id bigint references coach.levels (id);

Source: PostgreSQL documentation, ALTER TABLE, Notes.
"""

from __future__ import annotations

from collections.abc import Iterator

from pglast import ast
from pglast.enums import ConstrType

from aigym_db.lint.rule import RuleMatch, rule
from aigym_db.lint.step import StatementContext, shown


@rule(
    "LOCK16",
    "add-column-references-default",
    since="0.1",
    on=ast.AlterTableStmt,
    level="error",
    in_downs="note",
)
def check(step: StatementContext) -> Iterator[RuleMatch]:
    for column in step.added_columns():
        kinds = {constraint.contype: constraint for constraint in column.constraints or ()}
        key, default = kinds.get(ConstrType.CONSTR_FOREIGN), kinds.get(ConstrType.CONSTR_DEFAULT)
        if key is None or default is None or getattr(default.raw_expr, "isnull", False):
            continue
        table, other = shown(step.key(step.tree.relation)), shown(step.key(key.pktable))
        yield step.match(
            f"Every row of {table} is looked up in {other} for the default of {column.colname}, "
            "which blocks writes to both tables.",
            "Add the column, then the foreign key NOT VALID, and validate it in the next migration.",
            key,
        )
