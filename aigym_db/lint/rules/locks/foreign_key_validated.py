"""Foreign key added without NOT VALID to a table that may contain rows.

ADD FOREIGN KEY takes a SHARE ROW EXCLUSIVE lock on both tables, which blocks writes to both while every row
of the referencing table is looked up. With NOT VALID the locks are held only briefly; VALIDATE CONSTRAINT in
a later transaction checks the existing rows without blocking writes.

Partitioned tables support NOT VALID foreign keys since PostgreSQL 18. On older versions, add the key to each
partition first.

Given:
    create table coach.coaches (id bigint primary key);
    create table coach.sessions (id bigint primary key, coach_id bigint not null);

Bad:
    alter table coach.sessions
        add constraint sessions_coach_id_fkey foreign key (coach_id) references coach.coaches (id);

Good:
    alter table coach.sessions
        add constraint sessions_coach_id_fkey foreign key (coach_id) references coach.coaches (id) not valid;
    alter table coach.sessions validate constraint sessions_coach_id_fkey;

Good:
    create table coach.notes (id bigint primary key, session_id bigint not null);
    alter table coach.notes
        add constraint notes_session_id_fkey foreign key (session_id) references coach.sessions (id);

Source: PostgreSQL documentation, ALTER TABLE, ADD table_constraint NOT VALID.
"""

from __future__ import annotations

from collections.abc import Iterator

from pglast import ast
from pglast.enums import ConstrType

from aigym_db.lint.rule import RuleMatch, rule
from aigym_db.lint.step import StatementContext, shown


@rule("LOCK04", "foreign-key-validated", since="0.1", on=ast.AlterTableStmt, level="error", in_downs="note")
def check(step: StatementContext) -> Iterator[RuleMatch]:
    for constraint in step.added_constraints(ConstrType.CONSTR_FOREIGN):
        if constraint.skip_validation or not constraint.is_enforced:
            continue
        table, other = shown(step.key(step.tree.relation)), shown(step.key(constraint.pktable))
        yield step.match(
            f"Checking this foreign key blocks every write to {table} and {other} while all "
            f"rows of {table} are scanned.",
            "Add it NOT VALID, then run VALIDATE CONSTRAINT in the next migration.",
            constraint,
        )
