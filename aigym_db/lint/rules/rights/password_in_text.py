"""Password in SQL text.

The password remains readable in the version history of the file, in the ledger, in the server log and in
pg_stat_statements.

Bad:
    create role lint_app login password 'correct horse';

Good:
    create role lint_app login;

Source: PostgreSQL documentation, CREATE ROLE, Notes.
"""

from __future__ import annotations

from collections.abc import Iterator

from pglast import ast

from aigym_db.lint.rule import RuleMatch, rule
from aigym_db.lint.step import StatementContext
from aigym_db.syntax.tree import is_a, option

_ON = (ast.CreateRoleStmt, ast.AlterRoleStmt, ast.CreateUserMappingStmt, ast.AlterUserMappingStmt)


@rule("GRANT06", "password-in-text", since="0.1", on=_ON, level="error")
def check(step: StatementContext) -> Iterator[RuleMatch]:
    if is_a(option(step.tree.options, "password"), ast.String):
        yield step.match(
            "This password remains readable in the file's history, the ledger and the server log.",
            "Create the role without a password, and set it with psql's \\password.",
        )
