"""Login role that is exempt from row-level security.

Policies do not apply to roles with SUPERUSER or BYPASSRLS. A role that owns functions may need BYPASSRLS, but
does not need LOGIN.

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
    enabled = {element.defname for element in tree.options or () if getattr(element.arg, "boolval", False)}
    logs_in = option(tree.options, "canlogin")
    if is_a(tree, ast.CreateRoleStmt):
        name, can_log_in = (
            tree.role,
            "canlogin" in enabled or (tree.stmt_type == RoleStmtType.ROLESTMT_USER and logs_in is None),
        )
    else:
        name, can_log_in = tree.role.rolename, logs_in is None or "canlogin" in enabled
    attributes = [attribute for attribute in ("superuser", "bypassrls") if attribute in enabled]
    if attributes and can_log_in:
        yield step.match(
            f"Policies do not apply to {name}, which can log in: {', '.join(attributes).upper()}.",
            "Make the role NOLOGIN, or remove the attribute.",
        )
