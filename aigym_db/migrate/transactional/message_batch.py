"""Consecutive migrations in one message, each in its own transaction.

The server executes the statements of a message in order and none after one that fails. A migration therefore
runs only if all before it are committed, as if each were sent separately, without a round trip in between.
Only migrations that define objects share a message: `now()` is constant within one message, and statements
that compute rows may depend on it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field

from aigym_db.database import ledger
from aigym_db.migrate.observer import Finished, Notice
from aigym_db.migrate.session.attempt import MigrationAttempt
from aigym_db.migrate.session.message import Message
from aigym_db.migrate.session.migration_run import Run
from aigym_db.migrate.session.transaction import Patience, Try, closing, timeout_ms
from aigym_db.migrate.session.wire import Reply
from aigym_db.migrate.transactional import prepared
from aigym_db.migrate.transactional.single_message import MigrationTransaction, add, run_transaction

MOST = 32
"""Maximum number of migrations in a message; larger messages are no faster."""
MOST_CHARACTERS = 200_000
"""Maximum size of a message: the server keeps a message and all its parse trees in memory."""
ENOUGH_MS = 50.0
"""Target duration of a message: the server reports commits only at its end."""
FASTER = 4
"""Largest growth from one message to the next: the duration of the next migrations is unknown."""
_DIVISION_BY_ZERO = "22012"


@dataclass(slots=True)
class MessageSize:
    """The number of migrations in a message: one at first, then as many as fit into `ENOUGH_MS`."""

    size: int = 1

    def adjust(self, count: int, duration_ms: float) -> None:
        """Set the size of the next message from the duration of one with `count` migrations."""
        enough = int(count * ENOUGH_MS / max(duration_ms, 0.001))
        self.size = max(1, min(enough, self.size * FASTER, MOST))


@dataclass(slots=True)
class _Batch:
    """Consecutive transactions and the message that contains them."""

    transactions: Sequence[MigrationTransaction]
    message: Message = field(default_factory=Message)
    durations: list[int] = field(default_factory=list)
    """For each transaction, the number of the result with its duration."""
    ends: list[int] = field(default_factory=list)
    """For each transaction, the number of results up to and including its COMMIT."""
    reported: int = 0
    """The number of transactions reported as committed."""

    def number(self, done: int) -> int:
        """Return the number of the transaction, from 0, that contains the statement after `done` others."""
        return bisect_right(self.ends, done)

    def took_ms(self, reply: Reply) -> list[float]:
        """Return the durations of the committed transactions, in milliseconds."""
        done = self.number(len(reply.results))
        return [float(reply.results[number].get_value(0, 0) or 0) for number in self.durations[:done]]

    def report(self, run: Run, took_ms: Sequence[float]) -> None:
        """Report the first transactions as committed, with their durations in milliseconds, each once."""
        for transaction, duration_ms in list(zip(self.transactions, took_ms, strict=False))[self.reported :]:
            self.reported += 1
            run.finish(Finished(transaction.migration, duration_ms), durable=transaction.durable)
            if self.reported < len(self.transactions):
                run.started(self.transactions[self.reported].migration)


def run_transactions(run: Run, line: Sequence[MigrationTransaction]) -> None:
    """Run migrations in order; each is committed with its ledger row, or neither is."""
    pace, start = MessageSize(), 0
    batch: _Batch | None = None
    while start < len(line):
        batch = batch or _batch(run, line[start:], pace.size)
        count = len(batch.transactions)
        if count == 1:
            run_transaction(run, batch.transactions[0])
            pace.adjust(1, run.finished[-1].duration_ms)
            start, batch = start + 1, None
            continue
        patience, following = _run_batch(run, batch, line[start + count :], pace)
        # Not the number of results: if the connection was lost at the end, the periodic query of the ledger
        # may have seen more commits.
        start += batch.reported
        batch = following
        if patience is not None:
            run_transaction(run, line[start], patience)
            start, pace, batch = start + 1, MessageSize(), None


def _run_batch(
    run: Run, batch: _Batch, line: Sequence[MigrationTransaction], pace: MessageSize
) -> tuple[Patience | None, _Batch | None]:
    """Send a batch and return two values, both optional.

    The first is set if a transaction failed and is to be sent again in its own message: its remaining
    patience. The second is the next batch, taken from `line`. Raise the error of the first transaction that
    is not committed, as if it had been sent in its own message.
    """
    migrations = [transaction.migration for transaction in batch.transactions]

    def notice(notice: Notice, done: int) -> None:
        run.observer.notice(migrations[min(batch.number(done), len(migrations) - 1)], notice)

    run.check(migrations[0])
    prepared.prepare(run)
    run.started(migrations[0])
    with MigrationAttempt(run, migrations[0], notice=notice) as attempt:
        reply, following = _send(attempt, batch, line, pace)
        took_ms = batch.took_ms(reply)
        batch.report(run, took_ms)
        if batch.reported < len(migrations):
            return _failed(attempt, batch, reply, reply.duration_ms - sum(took_ms)), None
        last = batch.transactions[-1]
        attempt.inspect(reply, batch.ends[-1], last.migration, last.part)
    pace.adjust(len(migrations), reply.duration_ms)
    return None, following


def together(line: Sequence[MigrationTransaction], most: int) -> Sequence[MigrationTransaction]:
    """The leading migrations that may share one message: at least one, up to `most`."""
    count = characters = 0
    for transaction in line[:most]:
        characters += len(transaction.part.source.text)
        if not transaction.defines or characters > MOST_CHARACTERS:
            break
        count += 1
    return line[: max(count, 1)]


def _batch(run: Run, line: Sequence[MigrationTransaction], most: int) -> _Batch:
    batch = _Batch(together(line, most))
    if len(batch.transactions) > 1:
        message = batch.message
        for before, transaction in zip((None, *batch.transactions), batch.transactions, strict=False):
            if before is not None:
                before.append_check(message)
                message.add(prepared.SINCE)
            batch.durations.append(add(run, message, transaction))
            closing(run, transaction.part, message)
            batch.ends.append(len(message))
        transaction.append_check(message)
    return batch


def _send(
    attempt: MigrationAttempt, batch: _Batch, line: Sequence[MigrationTransaction], pace: MessageSize
) -> tuple[Reply, _Batch | None]:
    """Send a batch; return the reply and the next batch, which is built while the server is busy."""
    run = attempt.run
    versions = [transaction.migration.version for transaction in batch.transactions]
    following: list[_Batch] = []

    def prepare() -> None:
        if line:
            following.append(_batch(run, line, pace.size))

    def look() -> None:
        # The server sends its results only at the end of a message; other sessions may see them before.
        batch.report(run, ledger.durations_ms(run.second, run.session.pid, versions))

    longest_ms = min(timeout_ms(run, transaction.part) for transaction in batch.transactions)
    with attempt.yielding(longest_ms), attempt.looking(look):
        reply = run.session.send(batch.message, prepare)
    return reply, following[0] if following else None


def _failed(attempt: MigrationAttempt, batch: _Batch, reply: Reply, spent_ms: float) -> Patience:
    """Return the remaining patience for the transaction at which a batch failed, if it is to be sent again.

    Raise its error otherwise.
    """
    run, done, statements = attempt.run, batch.reported, len(reply.results)
    failing, patience = batch.transactions[done], Patience()
    guarded = done and statements == batch.ends[done - 1]
    if guarded and reply.failure is not None and reply.failure.sqlstate == _DIVISION_BY_ZERO:
        # The quick check after the last committed transaction reports only that there is session state.
        before = batch.transactions[done - 1]
        attempt.inspect(reply, statements, before.migration, before.part)
        return patience
    if not (reply.results or reply.lost or reply.cancelled):
        # No statement was executed: the server could not parse the message, because of any one of them.
        return patience
    following = [transaction.migration for transaction in batch.transactions[done:]]
    error = Try(attempt, following, failing.part, batch.message, reply).error(patience, spent_ms)
    if error is not None:
        run.failed(failing.migration, failing.direction, error, None)
        raise error
    # The RESET ALL before this transaction was rolled back with it: preparing resets the session again.
    run.session.forget_prepared()
    return patience
