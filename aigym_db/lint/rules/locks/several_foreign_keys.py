"""Foreign keys to several existing tables created in one transaction.

Each foreign key, including those in CREATE TABLE, takes a SHARE ROW EXCLUSIVE lock on the referenced table
until the transaction ends. Writes to all of these tables are blocked together, and two such transactions can
deadlock. Creating the keys is fast while the new table is empty; the duration depends on how long the slowest
of the locks takes to acquire.

Given:
    create table iam.users (id bigint primary key);
    create table iam.tenants (id bigint primary key);
    create table coach.levels (id bigint primary key);

Bad:
    create table coach.coaches (
        id bigint primary key,
        user_id bigint not null references iam.users (id),
        tenant_id bigint not null references iam.tenants (id),
        level_id bigint not null references coach.levels (id)
    );

Good:
    create table coach.coaches (id bigint primary key, user_id bigint not null, tenant_id bigint not null);
    alter table coach.coaches add constraint coaches_user_id_fkey
        foreign key (user_id) references iam.users (id);
    alter table coach.coaches add constraint coaches_tenant_id_fkey
        foreign key (tenant_id) references iam.tenants (id);

Source: PostgreSQL documentation, Explicit Locking.
"""

from __future__ import annotations

from collections.abc import Iterator

from pglast import ast
from pglast.enums import ConstrType

from aigym_db.lint.rule import RuleMatch, rule
from aigym_db.lint.step import StatementContext, shown
from aigym_db.syntax.tree import is_a

_REPORTED_FROM = 3
"""Number of referenced tables. Two (an owner and a tenant) are usual and not reported."""


@rule("LOCK27", "several-foreign-keys", since="0.1", on=ast.CreateStmt, level="note", in_downs="skip")
def check(step: StatementContext) -> Iterator[RuleMatch]:
    keys = [
        constraint
        for element in step.tree.tableElts or ()
        for constraint in (
            [element] if is_a(element, ast.Constraint) else getattr(element, "constraints", None) or ()
        )
        if constraint.contype == ConstrType.CONSTR_FOREIGN
    ]
    tables = sorted({shown(step.key(key.pktable)) for key in keys if step.in_use(key.pktable)})
    if len(tables) >= _REPORTED_FROM:
        yield step.match(
            f"Writes to {', '.join(tables)} are blocked together until this transaction ends.",
            "Create the table first and add its foreign keys one by one, each in a separate transaction.",
        )
