"""Allow comment that suppresses no finding.

The statement below it has no such finding, or no statement follows it directly. An unused comment would
suppress a later finding unintentionally.

Given:
    create table coach.sessions (id bigint primary key);

Bad:
    -- allow drop-table: the example drops nothing
    select id from coach.sessions;

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
        why = (
            "no statement is directly below it"
            if allow.comment.covers is None
            else "the statement has no such finding"
        )
        yield RuleMatch(
            allow.comment.spot,
            f"This comment allows `{allow.comment.rule}`, but {why}.",
            "Remove the comment.",
        )
