"""Brings a database to the newest version of its migrations."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import Connection

from aigym_db.database import ledger
from aigym_db.database.connect import connect
from aigym_db.database.failure import explain_error
from aigym_db.errors import EditedApplied, LedgerMoved, NotFrozen
from aigym_db.migrate.contract import contract
from aigym_db.migrate.observer import Finished, Observer
from aigym_db.migrate.options import Options
from aigym_db.migrate.plan import edits, locked, plan_up
from aigym_db.migrate.stop import Stop
from aigym_db.model.migration import Applied, Direction, Migration, Part, Plan

if TYPE_CHECKING:
    from aigym_db.migrate.preflight import Step
    from aigym_db.migrate.run import Run

Decide = Callable[[tuple[Applied, ...]], Plan]


def migrate(
    dsn: str,
    migrations: tuple[Migration, ...],
    *,
    to: int | None = None,
    plan: Plan | None = None,
    options: Options | None = None,
    observer: Observer | None = None,
) -> tuple[Finished, ...]:
    """Applies what is pending, up to and with version `to`, and returns what it applied, oldest first.

    Safe to run any number of times and from several places at once: each migration is applied exactly once.
    With `plan` it runs that very plan, or raises LedgerMoved (AIG-T006) when somebody migrated since it was
    made. With nothing to do it takes no lock and writes nothing. Raises every refusal of `plan_up`, of the
    files (AIG-P005, AIG-P010), of the guards (AIG-G001, AIG-G007), of the server (AIG-S…), and AIG-L001,
    AIG-H001, AIG-I001.
    """

    options, observer = options or Options(), observer or Observer()

    def decide(rows: tuple[Applied, ...]) -> Plan:
        found = plan_up(migrations, rows, to)
        require_locked(migrations, rows, options)
        return found

    try:
        with Stop() as stop, closing(connect(dsn, session=contract(options), autocommit=True)) as connection:
            with explained_edits(connection, migrations):
                wanted = _moved_or_same(plan, decide(ledger.applied(connection)))
            if not wanted.migrations:
                observer.planned(wanted)
                return ()
            require_frozen(wanted.migrations, options)
            return execute(connection, dsn, wanted, decide, plan is not None, options, observer, stop)
    except psycopg.Error as error:
        raise explain_error(error) from None


def execute(
    connection: Connection[Any],
    dsn: str,
    wanted: Plan,
    decide: Decide,
    exactly: bool,
    options: Options,
    observer: Observer,
    stop: Stop,
    guard: Callable[[Plan], None] = lambda plan: None,
) -> tuple[Finished, ...]:
    """Runs a plan under both locks, or what is left of it once they are held.

    Everything is read before anything is sent. `guard` has the last word, with the locks held.
    """
    from aigym_db.migrate.preflight import steps
    from aigym_db.migrate.run import begin

    texts = {
        migration.version: steps(part_of(migration, wanted.direction)) for migration in wanted.migrations
    }
    with begin(connection, dsn, options, observer, stop) as run:
        # Another runner may have been at work while this one waited for it.
        plan = decide(ledger.applied(connection))
        if exactly:
            _moved_or_same(wanted, plan)
        guard(plan)
        observer.planned(plan)
        _start(run, plan)
        _run(run, plan, texts)
        return tuple(run.finished)


def _run(run: Run, plan: Plan, texts: Mapping[int, tuple[Step, ...]]) -> None:
    from aigym_db.migrate.inside import Transaction
    from aigym_db.migrate.outside import run_outside
    from aigym_db.migrate.preflight import steps
    from aigym_db.migrate.together import run_together

    inside: list[Transaction] = []
    for migration in plan.migrations:
        part = part_of(migration, plan.direction)
        text = texts.get(migration.version) or steps(part)
        if part.transaction:
            durable = run.options.durable or migration is plan.migrations[-1]
            inside.append(Transaction.of(migration, plan.direction, part, text, durable))
            continue
        run_together(run, inside)
        inside = []
        run_outside(run, migration, plan.direction, part, text)
    run_together(run, inside)


def part_of(migration: Migration, direction: Direction) -> Part:
    """The half of the file that goes in this direction."""
    part = migration.up if direction == "up" else migration.down
    assert part is not None
    return part


def require_frozen(migrations: Iterable[Migration], options: Options) -> None:
    """Nothing, when every migration is in LOCK or the database is the project's own local one.

    Raises NotFrozen (AIG-G001).
    """
    if options.local or options.frozen is None:
        return
    drafts = [migration for migration in migrations if migration.version not in options.frozen]
    if drafts:
        raise NotFrozen(
            f"{', '.join(draft.label for draft in drafts)} {'is' if len(drafts) == 1 else 'are'} not "
            "frozen, and this "
            "is not the project's own local database.",
            place=drafts[0].up.source.place(0),
            hint="Run `aigym-db freeze` and commit migrations/LOCK.",
        )


def require_locked(migrations: tuple[Migration, ...], rows: tuple[Applied, ...], options: Options) -> None:
    """Nothing, when LOCK holds all that a database has run which takes no drafts; else AIG-T001."""
    if not options.local and options.frozen is not None:
        locked(migrations, rows, options.frozen)


@contextmanager
def explained_edits(connection: Connection[Any], migrations: tuple[Migration, ...]) -> Iterator[None]:
    """Adds to an EditedApplied what was edited: the difference to the text the ledger keeps."""
    try:
        yield
    except EditedApplied as refusal:
        edited = edits(migrations, ledger.applied(connection))
        refusal.detail = "\n".join(filter(None, (_difference(connection, migration) for migration in edited)))
        raise


def _difference(connection: Connection[Any], migration: Migration) -> str:
    stored = ledger.stored_sql(connection, migration.version)
    if stored is None:
        return ""
    import difflib

    before, after = stored.splitlines(), migration.up.source.text.splitlines()
    return "\n".join(
        difflib.unified_diff(before, after, "as this database ran it", migration.file, lineterm="")
    )


def _moved_or_same(wanted: Plan | None, plan: Plan) -> Plan:
    if wanted is not None and wanted.ledger_digest != plan.ledger_digest:
        raise LedgerMoved(
            "Somebody migrated this database after the plan was made.",
            hint="Plan again, and look at the new plan.",
        )
    return wanted or plan


def _start(run: Run, plan: Plan) -> None:
    versions = [migration.version for migration in plan.migrations]
    if versions:
        detail = {"versions": versions}
        run.event(
            ledger.Event("start", direction=plan.direction, detail=detail, git_commit=run.options.git_commit)
        )
