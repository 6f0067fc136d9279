"""Role that can log in and is not held by row-level security.

SUPERUSER and BYPASSRLS make every policy void for the role. A role that owns functions may need BYPASSRLS,
but nobody needs to log in as it.

Bad:
    create role lint_reporting login bypassrls;

Good:
    create role lint_helpers nologin bypassrls;

Source: PostgreSQL documentation, Row Security Policies; CREATE ROLE.
"""

from __future__ import annotations

from collections.abc import Iterator

from pglast import ast
from pglast.enums import RoleStmtType

from aigym_db.lint.rule import RuleMatch, rule
from aigym_db.lint.step import StatementContext
from aigym_db.syntax.tree import is_a, option


@rule("GRANT05", "bypassing-role", since="0.1", on=(ast.CreateRoleStmt, ast.AlterRoleStmt))
def check(step: StatementContext) -> Iterator[RuleMatch]:
    tree = step.tree
    on = {element.defname for element in tree.options or () if getattr(element.arg, "boolval", False)}
    logs_in = option(tree.options, "canlogin")
    if is_a(tree, ast.CreateRoleStmt):
        name, can_log_in = (
            tree.role,
            "canlogin" in on or (tree.stmt_type == RoleStmtType.ROLESTMT_USER and logs_in is None),
        )
    else:
        name, can_log_in = tree.role.rolename, logs_in is None or "canlogin" in on
    which = [word for word in ("superuser", "bypassrls") if word in on]
    if which and can_log_in:
        yield step.found(
            f"No policy holds {name}, and it can log in: {', '.join(which).upper()}.",
            "Make it NOLOGIN, or leave the attribute out.",
        )
