"""Allow comment for a rule that does not exist.

A misspelt name allows nothing, and nobody would notice.

Bad:
    -- allow index-without-concurently: the table is small
    select 1;

Good:
    select 1;

Source: `aigym-db explain` lists the rules.
"""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from aigym_db.lint.allow import Allow
from aigym_db.lint.registry import by_name
from aigym_db.lint.rule import RuleMatch, rule


@rule("ALLOW01", "allow-unknown-rule", since="0.1", on=Allow, level="error")
def check(allow: Allow) -> Iterator[RuleMatch]:
    if not allow.exists:
        near = get_close_matches(allow.rule, by_name(), 1)
        yield RuleMatch(
            allow.spot,
            f"There is no rule `{allow.rule}`, so this allows nothing.",
            f"Write `{near[0]}`, if that is what is meant." if near else "Take the name from the finding.",
        )
