"""BEGIN without COMMIT.

The connection closes at the end of the file, and PostgreSQL rolls back everything since BEGIN.

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
def check(transaction: TransactionState) -> Iterator[RuleMatch]:
    if transaction.explicit and transaction.spot is not None:
        yield RuleMatch(
            transaction.spot,
            "This transaction is never committed: it is rolled back at the end of the file.",
            "Add COMMIT at the end.",
        )
