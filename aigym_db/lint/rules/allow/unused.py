"""Allow comment that suppresses no finding.

The statement below it has no such finding, or no statement follows it directly, as above `-- migrate:up`. An
unused comment would suppress a later finding unintentionally.

Given:
    create table coach.sessions (id bigint primary key);

Bad:
    -- allow drop-table: the example drops nothing
    select id from coach.sessions;

Bad (migration):
    -- allow drop-table: the table moved to another database
    -- migrate:up
    select id from coach.sessions;

    -- migrate:down
    select 1;

Good:
    select id from coach.sessions;

Source: aigym-db, `-- allow <rule>: <reason>`.
"""

from __future__ import annotations

from collections.abc import Iterator

from aigym_db.lint.allow import CheckedAllow
from aigym_db.lint.rule import RuleMatch, rule


@rule("ALLOW03", "allow-unused", since="0.1", on=CheckedAllow, level="error")
def check(allow: CheckedAllow) -> Iterator[RuleMatch]:
    if allow.unused:
        reason, hint = (
            ("no statement is directly below it", "Move it directly above the statement, or remove it.")
            if allow.comment.covers is None
            else ("the statement has no such finding", "Remove the comment.")
        )
        yield RuleMatch(
            allow.comment.spot, f"This comment allows `{allow.comment.rule}`, but {reason}.", hint
        )
