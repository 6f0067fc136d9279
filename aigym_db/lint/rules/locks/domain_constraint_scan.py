"""Constraint added to a domain without NOT VALID.

PostgreSQL scans every table that has a column of the domain, which blocks writes to these tables.

Given:
    create domain coach.rating as integer;
    create table coach.sessions (id bigint primary key, rating coach.rating);

Bad:
    alter domain coach.rating add constraint rating_check check (value between 1 and 5);

Good:
    alter domain coach.rating add constraint rating_check check (value between 1 and 5) not valid;

Source: PostgreSQL documentation, ALTER DOMAIN.
"""

from __future__ import annotations

from collections.abc import Iterator

from pglast import ast

from aigym_db.lint.rule import RuleMatch, rule
from aigym_db.lint.step import StatementContext
from aigym_db.syntax.tree import dotted

_ADD_CONSTRAINT, _SET_NOT_NULL = "C", "O"


@rule("LOCK26", "domain-constraint-scan", since="0.1", on=ast.AlterDomainStmt, level="error", in_downs="note")
def check(step: StatementContext) -> Iterator[RuleMatch]:
    tree = step.tree
    adds = tree.subtype == _ADD_CONSTRAINT and not tree.def_.skip_validation
    name = dotted(tree.typeName)
    domain = step.chain.type(name)
    if not adds and tree.subtype != _SET_NOT_NULL:
        return
    if domain is not None and not any(
        column.type.name in (name, domain.name)
        for table in step.chain.relations.values()
        if not step.chain.is_new(table.name)
        for column in table.columns.values()
    ):
        return
    yield step.match(
        f"Every row of every table with a column of type {name} is checked, which blocks "
        "writes to these tables.",
        "Add the constraint NOT VALID, then run ALTER DOMAIN … VALIDATE CONSTRAINT in the next migration.",
    )
