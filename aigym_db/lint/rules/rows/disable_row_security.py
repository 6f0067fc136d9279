"""Row-level security disabled, or no longer forced for the owner.

Once this commits, every role with a grant can access every row; without FORCE, the owner can.

Given:
    create table coach.notes (id bigint primary key);
    alter table coach.notes enable row level security;
    alter table coach.notes force row level security;
    grant usage on schema coach to authenticated;

Bad:
    alter table coach.notes disable row level security;

Bad:
    alter table coach.notes no force row level security;

Good:
    alter table coach.notes enable row level security;

Source: PostgreSQL documentation, Row Security Policies.
"""

from __future__ import annotations

from collections.abc import Iterator

from pglast import ast
from pglast.enums import AlterTableType

from aigym_db.lint.rule import RuleMatch, rule
from aigym_db.lint.step import StatementContext, shown

_EFFECT = {
    AlterTableType.AT_DisableRowSecurity: "Every role with a grant can access every row",
    AlterTableType.AT_NoForceRowSecurity: "The owner, and functions that run as it, can access every row",
}


@rule("RLS14", "disable-row-security", since="0.1", on=ast.AlterTableStmt, level="error", in_downs="note")
def check(step: StatementContext) -> Iterator[RuleMatch]:
    for command in step.tree.cmds:
        effect = _EFFECT.get(command.subtype)
        if effect:
            yield step.match(
                f"{effect} of {shown(step.key(step.tree.relation))} as soon as this commits.",
                "Change the policies instead, or write `-- allow disable-row-security: <reason>`.",
                command,
            )
