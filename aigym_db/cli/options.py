"""Options and output that `migrate`, `rollback` and `up` share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from aigym_db.cli.app import App
from aigym_db.errors import AigymError, ResumableError, ServerError
from aigym_db.migrate.observer import Finished
from aigym_db.migrate.options import Options
from aigym_db.model.migration import Direction, Migration, Phase
from aigym_db.report.progress import Watching

if TYPE_CHECKING:
    from aigym_db.report.documents import MigrateResults, RollbackResults


def options(
    app: App,
    dsn: str | None,
    frozen: frozenset[int],
    lock_wait_s: float | None = None,
    resolve: Literal["done", "again"] | None = None,
    *,
    phase: Phase | None = None,
    out_of_order: Iterable[int] = (),
) -> Options:
    """Return the options of the project and of the command line for a run on `dsn`; None means targets."""
    local = dsn is not None and app.accepts_drafts(dsn)
    project = Options.of(app.project, frozen)
    return replace(
        project,
        lock_wait_s=lock_wait_s,
        local=local,
        # The local database is created from nothing, and then some file is always non-transactional.
        transaction="migration" if local else project.transaction,
        resolve=resolve,
        phase=phase,
        out_of_order=frozenset(out_of_order),
    )


@contextmanager
def watched(app: App, files: Iterable[Migration], direction: Direction) -> Iterator[Watching]:
    """Print the progress of a run and add its migrations to the JSON document, also if it fails."""
    with Watching(app.report) as watching:
        try:
            yield watching
        except (ServerError, ResumableError) as error:
            raise with_origin(app, files, error) from error.__cause__
        finally:
            done = tuple(watching.finished_all.values())
            app.report.add_results(lambda: _results(done, direction))


def with_origin(app: App, files: Iterable[Migration], error: AigymError) -> AigymError:
    """Return the error, with the template line that the failing line was drafted from added to its detail."""
    from aigym_db.project.origins import origin

    place = error.place
    for migration in files:
        if place is not None and migration.file == place.file:
            template = origin(app.project, migration, place)
            if template:
                return error.amended(added_detail=f"TEMPLATE: {template}")
    return error


def _results(done: tuple[Finished, ...], direction: Direction) -> MigrateResults | RollbackResults:
    from aigym_db.report import entries
    from aigym_db.report.documents import MigrateResults, RollbackResults

    if direction == "up":
        return MigrateResults(applied=entries.finished(done))
    return RollbackResults(rolled_back=entries.finished(done))
