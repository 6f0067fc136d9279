"""BEGIN without COMMIT.

At the end of the file the connection closes and everything since BEGIN is undone.

Bad:
    begin;
    create table coach.notes (id bigint primary key);

Good:
    begin;
    create table coach.notes (id bigint primary key);
    commit;

Source: PostgreSQL documentation, Transactions.
"""

from __future__ import annotations

from collections.abc import Iterator

from aigym_db.lint.objects import TransactionState
from aigym_db.lint.rule import RuleMatch, rule


@rule("TXN03", "uncommitted", since="0.1", on=TransactionState, level="error")
def check(left: TransactionState) -> Iterator[RuleMatch]:
    if left.explicit and left.spot is not None:
        yield RuleMatch(
            left.spot,
            "Nothing commits this transaction: all it does is undone when the file ends.",
            "Add COMMIT at its end.",
        )
