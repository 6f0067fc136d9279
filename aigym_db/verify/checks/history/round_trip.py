"""A down that is not the inverse of its up.

Every migration is run up on an empty database, then every one down again, newest first: after each down the
database must be what it was before the up, fact by fact. Then all of them up once more: that must end where
it ended before. Going down stops at a migration that says it is irreversible. Roles stay, because they belong
to the whole server.

What to do: correct the down while the migration is a draft; of a frozen one, write a new migration that mends
forward.

breaks: edit migrations/0002_birds.sql: drop schema app; -> select 1;
finding: schema app exists after the down of 0002 birds
"""

from __future__ import annotations

from collections.abc import Iterator

from aigym_db.database.replay import replay, scratch
from aigym_db.database.servers import throwaway
from aigym_db.model.migration import Migration
from aigym_db.verify.check import CheckFailure, check
from aigym_db.verify.context import VerifyContext
from aigym_db.verify.differences import failures

_DOWN = "Make the down the exact inverse of the up."
_AGAIN = "Look for what a down leaves behind that changes what an up does: rows, sequences, IF EXISTS."


@check("HIST06", "round-trip", needs="history")
def round_trip(context: VerifyContext) -> Iterator[CheckFailure]:
    owner = context.project.owner
    with throwaway(context.project.server) as server, scratch(server, context.project.session) as connection:
        catalogs = [context.look(connection)]
        for migration in context.migrations:
            replay(connection, [migration.up], owner=owner)
            catalogs.append(context.look(connection))
        known: set[str] = set()
        undone: list[Migration] = []
        for migration, before in zip(context.migrations[::-1], catalogs[-2::-1], strict=True):
            if migration.down is None:
                break
            place = migration.down.source.place(migration.down.start)
            replay(connection, [migration.down], owner=owner)
            undone.append(migration)
            differences = context.look(connection).difference(before)
            # What one down leaves behind is there for all that follow; it is said once.
            new = [one for one in differences if str(one) not in known]
            known |= {str(one) for one in differences}
            yield from failures(
                new,
                f"after the down of {migration.label}",
                "before its up",
                place=lambda key, place=place: place,  # type: ignore[misc]
                advice=_DOWN,
            )
        replay(connection, [migration.up for migration in reversed(undone)], owner=owner)
        yield from failures(
            context.look(connection).difference(catalogs[-1]),
            "after up, down and up again",
            "after the first up",
            place=lambda key: None,
            advice=_AGAIN,
        )
