"""Migrations that follow each other in one message, each of them a transaction of its own.

The server does the statements of a message in order and none after one that fails, so a migration runs only
when all before it are committed, as if each had been sent by itself; only the waiting for an answer between
them is gone. Those go together that only define things: in one message `now()` does not move on, and what
works out rows may ask for it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field

from aigym_db.database import ledger
from aigym_db.migrate.observer import Finished, Notice
from aigym_db.migrate.session.attempt import Run
from aigym_db.migrate.session.message import Message
from aigym_db.migrate.session.session_state import require_nothing_left
from aigym_db.migrate.session.transaction import Patience, Try, closing, left, timeout_ms
from aigym_db.migrate.session.wire import Reply
from aigym_db.migrate.transactional import prepared
from aigym_db.migrate.transactional.single_message import MigrationTransaction, add, run_inside

MOST = 32
"""Beyond this many in a message nothing is gained."""
MOST_CHARACTERS = 200_000
"""The server keeps a whole message, and all its trees, in memory."""
ENOUGH_MS = 50.0
"""How long a message should last: only at its end is heard what is committed."""
FASTER = 4
"""By how much a message may hold more than the one before: nobody knows what the next migrations take."""
_DIVISION_BY_ZERO = "22012"


@dataclass(slots=True)
class MessageSize:
    """How many migrations go into a message: one at first, then as many as the server does in a moment."""

    size: int = 1

    def learn(self, count: int, duration_ms: float) -> None:
        """Takes in how long a message of `count` migrations took."""
        enough = int(count * ENOUGH_MS / max(duration_ms, 0.001))
        self.size = max(1, min(enough, self.size * FASTER, MOST))


@dataclass(slots=True)
class _Batch:
    """Some transactions, and the message that runs them all."""

    transactions: Sequence[MigrationTransaction]
    message: Message = field(default_factory=Message)
    took: list[int] = field(default_factory=list)
    """The number of the result that says what a transaction took."""
    ends: list[int] = field(default_factory=list)
    """How many results there are once a transaction is committed."""
    told: int = 0
    """Of how many was said that they are committed."""

    def number(self, done: int) -> int:
        """Which transaction comes next after so many statements."""
        return bisect_right(self.ends, done)

    def took_ms(self, reply: Reply) -> list[float]:
        """What each of those took that are committed."""
        done = self.number(len(reply.results))
        return [float(reply.results[number].get_value(0, 0) or 0) for number in self.took[:done]]


def run_together(run: Run, line: Sequence[MigrationTransaction]) -> None:
    """Runs migrations in order, each with its ledger row or nothing of either."""
    pace, at = MessageSize(), 0
    batch: _Batch | None = None
    while at < len(line):
        batch = batch or _batch(run, line[at:], pace.size)
        count = len(batch.transactions)
        if count == 1:
            run_inside(run, batch.transactions[0])
            pace.learn(1, run.finished[-1].duration_ms)
            at, batch = at + 1, None
            continue
        reply, following = _send(run, batch, line[at + count :], pace)
        took_ms = batch.took_ms(reply)
        _tell(run, batch, took_ms)
        # Not what the results say: of a connection that was lost in the end, `watch` may have seen more.
        at += batch.told
        if batch.told == count:
            run.left = left(run, reply, batch.ends[-1])
            require_nothing_left(run, batch.transactions[-1].migration, batch.transactions[-1].part)
            pace.learn(count, reply.duration_ms)
            batch = following
        else:
            at += _go_on(run, batch, reply, reply.duration_ms - sum(took_ms))
            pace, batch = MessageSize(), None


def together(line: Sequence[MigrationTransaction], most: int) -> Sequence[MigrationTransaction]:
    """The migrations from the first on that may go into one message; at least one."""
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
                before.ask(message)
                message.add(prepared.SINCE)
            batch.took.append(add(run, message, transaction))
            closing(run, transaction.part, message)
            batch.ends.append(len(message))
        transaction.ask(message)
    return batch


def _send(
    run: Run, batch: _Batch, line: Sequence[MigrationTransaction], pace: MessageSize
) -> tuple[Reply, _Batch | None]:
    """What the server says to a batch, and the batch after it, made while the server was at work."""
    migrations = [transaction.migration for transaction in batch.transactions]
    versions = [migration.version for migration in migrations]
    following: list[_Batch] = []

    def prepare() -> None:
        if line:
            following.append(_batch(run, line, pace.size))

    def hear(notice: Notice, done: int) -> None:
        run.observer.notice(migrations[min(batch.number(done), len(migrations) - 1)], notice)

    run.check(migrations[0])
    prepared.prepare(run)
    run.blockers = ()
    run.started(migrations[0])
    run.session.hear = hear
    # Only at the end of a message does the server send its results; others may see them before.
    run.watch = lambda: _tell(run, batch, ledger.took_ms(run.second, run.session.pid, versions))
    longest_ms = min(timeout_ms(run, transaction.part) for transaction in batch.transactions)
    try:
        with run.yielding(longest_ms):
            reply = run.session.send(batch.message, prepare)
    finally:
        run.watch = lambda: None
    return reply, following[0] if following else None


def _tell(run: Run, batch: _Batch, took_ms: Sequence[float]) -> None:
    """Says of the first so many of a batch that they are committed, once."""
    for number in range(batch.told, len(took_ms)):
        batch.told += 1
        transaction = batch.transactions[number]
        run.tell(Finished(transaction.migration, took_ms[number]), durable=transaction.durable)
        if batch.told < len(batch.transactions):
            run.started(batch.transactions[batch.told].migration)


def _go_on(run: Run, batch: _Batch, reply: Reply, spent_ms: float) -> int:
    """Runs what a batch failed at by itself, if it is worth another try; how many migrations that were.

    Raises what became of it else, as if it had been sent by itself at once.
    """
    done, statements = batch.told, len(reply.results)
    failing, patience = batch.transactions[done], Patience()
    guarded = done and statements == batch.ends[done - 1]
    if guarded and reply.failure is not None and reply.failure.sqlstate == _DIVISION_BY_ZERO:
        # The question behind the last that was committed says only that something is left, not what.
        run.left = left(run, reply, statements)
        require_nothing_left(run, batch.transactions[done - 1].migration, batch.transactions[done - 1].part)
        run_inside(run, failing, patience)
        return 1
    if not (reply.results or reply.lost or reply.cancelled):
        # Not one statement was begun: the server could not read the message, whoever is to blame for that.
        run_inside(run, failing, patience)
        return 1
    behind = [transaction.migration for transaction in batch.transactions[done:]]
    refusal = Try(run, behind, failing.part, batch.message, reply).refusal(patience, spent_ms)
    if refusal is not None:
        run.failed(failing.migration, failing.direction, refusal, None)
        raise refusal
    # What set the session back was rolled back with this one: preparing does it anew.
    run.session.prepared = False
    run_inside(run, failing, patience)
    return 1
