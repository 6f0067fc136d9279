"""A run in one direction while a migration outside a transaction is half-way in the other."""

from __future__ import annotations

from aigym_db.database import ledger
from aigym_db.database.unfinished import Unfinished, unfinished
from aigym_db.errors import Halfway
from aigym_db.migrate.outside.journal import Begun
from aigym_db.migrate.outside.probe import probe
from aigym_db.migrate.session.run import Run
from aigym_db.model.migration import Direction

_COMMAND = {"up": "migrate", "down": "rollback"}
_WORDS = {"up": "applied", "down": "undone"}


def require_finished(run: Run, direction: Direction) -> None:
    """Nothing, when no migration is half-way in the other direction: its journal would go on one day from
    where it was, in a database that is another one by then.

    With `--resolve done` a person has put it back as it was before, and the ledger is told. Raises Halfway
    (AIG-H001).
    """
    for begun in unfinished(run.second, run.options.scope):
        done = () if begun.direction == direction else _left(run, begun)
        if not done:
            continue
        if run.options.resolve == "done":
            _given_up(run, begun)
            continue
        other = begun.direction
        raise Halfway(
            f"{begun.version:04d} {begun.name} is half {_WORDS[other]}: it was cut short outside a "
            "transaction.",
            detail="\n".join(["What it did and what stays:", *done]),
            hint=f"Finish it with `aigym-db {_COMMAND[other]}`, then run this again. If it cannot be "
            "finished, put back by hand what it did, and say so with "
            f"`aigym-db {_COMMAND[direction]} --resolve done`.",
        )


def _left(run: Run, cut_short: Unfinished) -> list[str]:
    """The statements that are done, and the last one begun unless the catalog shows that nothing of it is."""
    found = ledger.journal(run.second, cut_short.version, cut_short.direction, run.options.scope)
    done = {entry.statement: entry for entry in found if entry.kind == "done"}
    lines = [f"statement {number}: {entry.sql}" for number, entry in done.items()]
    last = next((entry for entry in reversed(found) if entry.kind == "intent"), None)
    if last is not None and last.statement not in done:
        begun = Begun(last.sql or "", last.detail)
        # On this connection names without a schema mean what they meant when it was begun.
        verdict = probe(run.session.connection, begun.tree, begun.sql).settle(begun.detail)
        if verdict.half or verdict.outcome != "again":
            lines.append(f"statement {last.statement}, perhaps in part ({verdict.note}): {last.sql}")
    return lines


def _given_up(run: Run, cut_short: Unfinished) -> None:
    kind: ledger.Kind = "revert" if cut_short.direction == "up" else "repair"
    run.record(
        ledger.Event(
            kind,
            cut_short.version,
            cut_short.name,
            cut_short.checksum,
            cut_short.direction,
            sql=ledger.stored_sql(run.second, cut_short.version, run.options.scope),
            detail={"resolved": "a person put it back as it was"},
            git_commit=run.options.git_commit,
            scope=run.options.scope,
        )
    )
