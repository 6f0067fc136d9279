"""Allow comment without a reason.

The reason is for the person who will ask, a year later, whether it still holds.

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

from aigym_db.lint.allow import Allow
from aigym_db.lint.rule import RuleMatch, rule


@rule("ALLOW02", "allow-without-reason", since="0.1", on=Allow, level="error")
def check(allow: Allow) -> Iterator[RuleMatch]:
    if not allow.reason:
        yield RuleMatch(
            allow.spot,
            f"This allows `{allow.rule}` and does not say why.",
            f"Write `-- allow {allow.rule}: <reason>`.",
        )
