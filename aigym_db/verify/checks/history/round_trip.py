"""A down that is not the inverse of its up.

The check applies every migration to an empty database, then rolls all of them back, newest first. After each
down, the catalog must equal the catalog before the up, fact by fact. A second application of all migrations
must give the same catalog as the first. Rollback stops at an irreversible migration. Roles are not compared,
because they belong to the whole server.

What to do: correct the down of a draft; for a frozen migration, write a new migration that corrects the
difference.

breaks: edit migrations/0002_birds.sql: drop schema app; -> select 1;
finding: schema app exists after 0002 birds is rolled back
"""

from __future__ import annotations

from collections.abc import Iterator

from aigym_db.database.replay import create_owner, creates_owner, replay, scratch
from aigym_db.database.servers.throwaway import throwaway
from aigym_db.model.migration import Migration
from aigym_db.verify.check import CheckFailure, check
from aigym_db.verify.context import VerifyContext
from aigym_db.verify.differences import failures

_DOWN = "Make the down the exact inverse of the up."
_AGAIN = "Check for remains of a down that change the effect of an up: rows, sequences, IF EXISTS."


@check("HIST06", "round-trip", needs="history")
def round_trip(context: VerifyContext) -> Iterator[CheckFailure]:
    """Yield a failure for each object that differs after a down, or after the second application.

    Raise StatementFailed (AIG-S002) if a statement fails.
    """
    owner = context.project.owner
    with throwaway(context.project.server) as server, scratch(server, context.session) as connection:
        if owner and creates_owner(context.history):
            create_owner(connection, owner)
        catalogs = [context.catalog_of(connection)]
        for migration in context.migrations:
            replay(connection, [migration.up], owner=owner)
            catalogs.append(context.catalog_of(connection))
        known: set[str] = set()
        rolled_back: list[Migration] = []
        for migration, before in zip(context.migrations[::-1], catalogs[-2::-1], strict=True):
            if migration.down is None:
                break
            place = migration.down.source.place(migration.down.start)
            replay(connection, [migration.down], owner=owner)
            rolled_back.append(migration)
            differences = context.catalog_of(connection).difference(before)
            # A difference that a down causes persists after all later ones; report it once.
            new = [item for item in differences if str(item) not in known]
            known |= {str(item) for item in differences}
            yield from failures(
                new,
                f"after {migration.label} is rolled back",
                f"before {migration.label} is applied",
                place=lambda key, place=place: place,  # type: ignore[misc]
                advice=_DOWN,
            )
        replay(connection, [migration.up for migration in reversed(rolled_back)], owner=owner)
        yield from failures(
            context.catalog_of(connection).difference(catalogs[-1]),
            "after up, down and a second up",
            "after the first up",
            place=lambda key: None,
            advice=_AGAIN,
        )
