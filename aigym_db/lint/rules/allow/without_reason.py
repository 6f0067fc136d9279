"""Allow comment without a reason.

A later reader needs the reason to decide whether the exception still applies.

Given:
    create table coach.sessions (id bigint primary key, rating integer);

Bad:
    -- allow drop-column
    alter table coach.sessions drop column rating;

Good:
    -- allow drop-column: nothing has read it since release 41
    alter table coach.sessions drop column rating;

Source: aigym-db, `-- allow <rule>: <reason>`.
"""

from __future__ import annotations

from collections.abc import Iterator

from aigym_db.lint.allow import CheckedAllow
from aigym_db.lint.rule import RuleMatch, rule


@rule("ALLOW02", "allow-without-reason", since="0.1", on=CheckedAllow, level="error")
def check(allow: CheckedAllow) -> Iterator[RuleMatch]:
    if not allow.comment.reason:
        yield RuleMatch(
            allow.comment.spot,
            f"This comment allows `{allow.comment.rule}` without a reason.",
            f"Write `-- allow {allow.comment.rule}: <reason>`.",
        )
