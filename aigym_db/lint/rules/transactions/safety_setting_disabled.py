"""Safety mechanism disabled by a setting.

With `session_replication_role = replica`, triggers and foreign keys do not run, so rows may violate
constraints. With `ignore_checksum_failure = on`, damaged pages are read as if they were intact.

Bad:
    begin;
    set local session_replication_role = replica;
    commit;

Good:
    begin;
    set local lock_timeout = '1s';
    commit;

Source: PostgreSQL documentation, Client Connection Defaults.
"""

from __future__ import annotations

from collections.abc import Iterator

from pglast import ast

from aigym_db.lint.rule import RuleMatch, rule
from aigym_db.lint.step import StatementContext
from aigym_db.syntax.tree import constant

_SETTINGS = {
    "session_replication_role": ({"replica"}, "Triggers and foreign keys do not run"),
    "ignore_checksum_failure": ({"on", "true", "1", "yes"}, "Damaged pages are read as if they were intact"),
}


@rule("TXN08", "safety-setting-disabled", since="0.1", on=ast.VariableSetStmt)
def check(step: StatementContext) -> Iterator[RuleMatch]:
    values, effect = _SETTINGS.get((step.tree.name or "").lower(), (set(), ""))
    if step.tree.args and str(constant(step.tree.args[0])).lower() in values:
        yield step.match(
            f"{effect} with this value of {step.tree.name}.",
            "Remove the setting, or write `-- allow safety-setting-disabled: <reason>`.",
        )
