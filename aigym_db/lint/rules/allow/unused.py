"""Allow comment that allows nothing.

The statement below it has no such finding, or there is no statement directly below it. Left standing it
would hide the next finding that comes along.

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

from aigym_db.lint.allow import Allow
from aigym_db.lint.rule import RuleMatch, rule


@rule("ALLOW03", "allow-unused", since="0.1", on=Allow, level="error")
def check(allow: Allow) -> Iterator[RuleMatch]:
    if allow.exists and not allow.used and allow.asked:
        why = "no statement is directly below it" if allow.covers is None else "there is no such finding"
        yield RuleMatch(allow.spot, f"This allows `{allow.rule}`, and {why}.", "Remove the comment.")
