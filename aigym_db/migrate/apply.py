"""Brings a database to the newest version of its migrations."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import closing, nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import Connection

from aigym_db.database import ledger
from aigym_db.database.failure import explain_error
from aigym_db.database.partially_applied import unfinished
from aigym_db.errors import LedgerChanged, UnfrozenMigration
from aigym_db.migrate.history import require_in_lock_file
from aigym_db.migrate.history_mismatch import explained
from aigym_db.migrate.observer import Finished, Observer
from aigym_db.migrate.options import Options
from aigym_db.migrate.plan import plan_up
from aigym_db.migrate.session.context import RunContext
from aigym_db.migrate.session.reconnect import opened
from aigym_db.migrate.stop import Stop
from aigym_db.migrate.tenants import require_tenant
from aigym_db.model.migration import Applied, Direction, Migration, Part, Plan

if TYPE_CHECKING:
    from aigym_db.migrate.session.attempt import Run
    from aigym_db.migrate.step import Step

Decide = Callable[[tuple[Applied, ...]], Plan]


def migrate(
    dsn: str,
    migrations: tuple[Migration, ...],
    *,
    to: int | None = None,
    plan: Plan | None = None,
    options: Options | None = None,
    observer: Observer | None = None,
    stop: Stop | None = None,
) -> tuple[Finished, ...]:
    """Applies what is pending, up to and with version `to`, and returns what it applied, oldest first.

    Safe to run any number of times and from several places at once: each migration is applied exactly once.
    With `plan` it runs that very plan, or raises LedgerChanged (AIG-T006) when somebody migrated since it was
    made. With nothing to do it takes no lock and writes nothing. `stop` belongs to a caller that looks after
    the signals; without it this call does. Raises every refusal of `plan_up`, of the files (AIG-P005,
    AIG-P010), of a tenant schema that is not there (AIG-P017), of the guards (AIG-G001, AIG-G007), of the
    server (AIG-S…), and AIG-L001, AIG-H001, AIG-I001.
    """
    options, observer = options or Options(), observer or Observer()
    decide = _decision(migrations, to, options)
    try:
        with Stop() if stop is None else nullcontext(stop) as stopping:
            context = RunContext(dsn, options, observer, stopping)
            with closing(opened(context)) as connection:
                wanted = moved_or_same(plan, decided(connection, migrations, decide, options))
                if nothing_to_do(connection, wanted, options):
                    observer.planned(wanted)
                    return ()
                require_frozen(wanted.migrations, options)
                return execute(connection, context, migrations, wanted, decide, exactly=plan is not None)
    except psycopg.Error as error:
        raise explain_error(error) from None


def pending(
    dsn: str,
    migrations: tuple[Migration, ...],
    *,
    to: int | None = None,
    options: Options | None = None,
    stop: Stop | None = None,
) -> Plan:
    """What `migrate` would apply now; it only reads.

    Raises what `migrate` raises before it takes a lock.
    """
    options = options or Options()
    try:
        with closing(opened(RunContext(dsn, options, Observer(), stop or Stop()))) as connection:
            found = decided(connection, migrations, _decision(migrations, to, options), options)
            require_frozen(found.migrations, options)
            return looked_into(connection, found, options)
    except psycopg.Error as error:
        raise explain_error(error) from None


def _decision(migrations: tuple[Migration, ...], to: int | None, options: Options) -> Decide:
    def decide(rows: tuple[Applied, ...]) -> Plan:
        found = plan_up(migrations, rows, to, options.phase, options.out_of_order)
        require_locked(migrations, rows, options)
        return found

    return decide


def decided(
    connection: Connection[Any], migrations: tuple[Migration, ...], decide: Decide, options: Options
) -> Plan:
    """The plan for a database as it is now.

    Raises UnknownTenant (AIG-P017), and what `decide` raises with what the ledger knows of it.
    """
    if options.scope:
        require_tenant(connection, options.scope)
    with explained(connection, migrations, options.scope):
        return decide(ledger.applied(connection, options.scope))


def execute(
    connection: Connection[Any],
    context: RunContext,
    migrations: tuple[Migration, ...],
    wanted: Plan,
    decide: Decide,
    *,
    exactly: bool,
    guard: Callable[[Connection[Any], Plan], None] = lambda connection, plan: None,
) -> tuple[Finished, ...]:
    """Runs a plan under both locks, or what is left of it once they are held.

    Everything is read before anything is sent. `guard` has the last word, with the locks held. When the
    server goes away while nothing is under way, the run waits for it and goes on.
    """
    from aigym_db.migrate.non_transactional.partially_applied import require_finished
    from aigym_db.migrate.session.begin import begin, start
    from aigym_db.migrate.session.reconnect import kept_up, rest

    options, observer = context.options, context.observer
    texts = read(wanted, options)
    first: list[tuple[Applied, ...]] = []
    finished: list[Finished] = []

    def attempt(connection: Connection[Any]) -> tuple[Finished, ...]:
        with begin(connection, context) as run:
            # Another runner may have been at work while this one waited for it.
            rows = ledger.applied(connection, options.scope)
            plan = rest(wanted, first[0], rows) if first and exactly else decide(rows)
            if exactly and not first:
                moved_or_same(wanted, plan)
            require_finished(run, plan, migrations)
            guard(connection, plan)
            if not first:
                observer.planned(plan)
            first.append(rows)
            # A server that crashed may have lost the last of what was committed: those are applied again.
            again = {migration.version for migration in plan.migrations}
            finished[:] = [done for done in finished if done.migration.version not in again]
            run.finished, run.direction, run.late = finished, plan.direction, plan.late
            run.check()
            start(run, plan)
            _run(run, plan, texts)
            return tuple(finished)

    return kept_up(attempt, connection, context)


def read(plan: Plan, options: Options) -> Mapping[int, tuple[Step, ...]]:
    """The statements of a plan by version, after none was found that cannot run where it stands.

    Raises BadSql (AIG-P005), ForbiddenStatement (AIG-P010), BadMigration (AIG-P008).
    """
    from aigym_db.migrate.transactional.single_transaction import require_inside
    from aigym_db.migrate.transactional.streamed import require_short

    texts = {
        migration.version: _steps(migration, part_of(migration, plan.direction))
        for migration in plan.migrations
    }
    if options.transaction == "run":
        require_inside(plan)
        require_short(plan)
    return texts


def _run(run: Run, plan: Plan, texts: Mapping[int, tuple[Step, ...]]) -> None:
    from aigym_db.migrate.non_transactional.sequence import run_outside
    from aigym_db.migrate.transactional.message_batch import run_together
    from aigym_db.migrate.transactional.single_message import MigrationTransaction
    from aigym_db.migrate.transactional.single_transaction import run_whole
    from aigym_db.migrate.transactional.streamed import is_streamed, run_streamed

    inside: list[MigrationTransaction] = []
    for migration in plan.migrations:
        part = part_of(migration, plan.direction)
        durable = run.options.durable or migration is plan.migrations[-1]
        if is_streamed(part):
            run_together(run, inside)
            inside = []
            run_streamed(run, migration, plan.direction, part, durable=durable)
            continue
        text = texts.get(migration.version) or _steps(migration, part)
        if part.transaction:
            inside.append(MigrationTransaction.of(run, migration, plan.direction, part, text, durable))
            continue
        run_together(run, inside)
        inside = []
        if part.batch_rows is None:
            run_outside(run, migration, plan.direction, part, text)
        else:
            from aigym_db.migrate.backfill.backfill import run_backfill

            run_backfill(run, migration, plan.direction, part, text)
    if run.options.transaction == "run" and len(inside) > 1:
        run_whole(run, inside)
    else:
        run_together(run, inside)


def _steps(migration: Migration, part: Part) -> tuple[Step, ...]:
    from aigym_db.migrate.preflight import inspect, steps
    from aigym_db.migrate.transactional.streamed import is_streamed

    if is_streamed(part):
        inspect(part)
        return ()
    found = steps(part)
    if part.batch_rows is not None:
        from aigym_db.migrate.backfill.statement import read

        read(migration, part, found)
    return found


def part_of(migration: Migration, direction: Direction) -> Part:
    """The half of the file that goes in this direction."""
    part = migration.up if direction == "up" else migration.down
    assert part is not None
    return part


def require_frozen(migrations: Iterable[Migration], options: Options) -> None:
    """Nothing, when every migration is in LOCK or the database is the project's own local one.

    Raises UnfrozenMigration (AIG-G001).
    """
    if options.local or options.frozen is None:
        return
    drafts = [migration for migration in migrations if migration.version not in options.frozen]
    if drafts:
        raise UnfrozenMigration(
            f"{', '.join(draft.label for draft in drafts)} {'is' if len(drafts) == 1 else 'are'} not "
            "frozen, and this "
            "is not the project's own local database.",
            place=drafts[0].up.source.place(0),
            hint="Run `aigym-db freeze` and commit migrations/LOCK.",
        )


def require_locked(migrations: tuple[Migration, ...], rows: tuple[Applied, ...], options: Options) -> None:
    """Nothing, when LOCK holds all that a database has run which takes no drafts; else AIG-T001."""
    if not options.local and options.frozen is not None:
        require_in_lock_file(migrations, rows, options.frozen)


def looked_into(connection: Connection[Any], plan: Plan, options: Options) -> Plan:
    """The same plan, which says whether there is something to do although it is empty."""
    return replace(plan, unfinished=not plan.migrations and bool(unfinished(connection, options.scope)))


def nothing_to_do(connection: Connection[Any], plan: Plan, options: Options) -> bool:
    """Whether a plan is empty and no migration is half-way, which a run would look into."""
    return not plan.migrations and not unfinished(connection, options.scope)


def moved_or_same(wanted: Plan | None, plan: Plan) -> Plan:
    """The plan that is wanted, or the one that was made now when none is.

    Raises LedgerChanged (AIG-T006) when the first was made for another ledger.
    """
    if wanted is not None and wanted.ledger_digest != plan.ledger_digest:
        raise LedgerChanged(
            "Somebody migrated this database after the plan was made.",
            hint="Plan again, and look at the new plan.",
        )
    return wanted or plan
