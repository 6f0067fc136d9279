"""Allow comment for a rule that does not exist.

A misspelt name suppresses nothing, and the mistake would otherwise stay unnoticed.

Bad:
    -- allow index-without-concurently: the table is small
    select 1;

Good:
    select 1;

Source: `aigym-db explain` lists the rules.
"""

from __future__ import annotations

from collections.abc import Iterator

from aigym_db.lint.allow import CheckedAllow
from aigym_db.lint.rule import RuleMatch, rule, rules_by_name
from aigym_db.model.wording import similar


@rule("ALLOW01", "allow-unknown-rule", since="0.1", on=CheckedAllow, level="error")
def check(allow: CheckedAllow) -> Iterator[RuleMatch]:
    if not allow.exists:
        near = similar(allow.comment.rule, rules_by_name())
        yield RuleMatch(
            allow.comment.spot,
            f"There is no rule `{allow.comment.rule}`, so this comment has no effect.",
            f"Write `{near[0]}`, if that is the intended rule."
            if near
            else "Copy the name from the finding.",
        )
