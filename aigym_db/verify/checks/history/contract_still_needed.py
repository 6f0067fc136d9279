"""A contract that takes away what something else still needs.

A migration marked `phase:contract` drops what the running application no longer needs. PostgreSQL refuses to
drop what a view or a foreign key needs, but bodies of functions are text to it: a trigger that keeps an old
and a new column alike goes on naming the old one and fails with the next row. So the migrations are run on a
throwaway server, and around each contract it is looked at what is gone: a function, procedure or trigger that
still names it, a view or column of something else that CASCADE took along, and a later migration that cannot
run any more because it needs it.

A contract that is frozen is looked at from the end of the line, where a later migration may have mended it.

What to do: drop or replace in the contract, before the object, what names it; or drop the object later.

breaks: write migrations/0003_drop.sql: -- migrate:up phase:contract
    create function app.name_of() returns text language plpgsql as $$
    begin return (select name from app.birds); end $$;
    alter table app.birds drop column name;
    -- migrate:down irreversible: the names are gone
finding: the function app.name_of() still names it
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from aigym_db.database.migration_session import Connection
from aigym_db.database.replay import replay, scratch
from aigym_db.database.servers import throwaway
from aigym_db.errors import StatementFailed
from aigym_db.model.catalog import Catalog, Key
from aigym_db.model.migration import Migration
from aigym_db.model.source import Place
from aigym_db.project.lock_file import frozen
from aigym_db.verify.check import CheckFailure, check
from aigym_db.verify.context import VerifyContext
from aigym_db.verify.routines import parts, refused, routines, speaks_of

_LOOKED_FOR = (
    "table",
    "column",
    "view",
    "materialized view",
    "foreign table",
    "function",
    "procedure",
    "sequence",
    "constraint",
    "type",
    "domain",
)
_TAKEN_ALONG = ("column", "view", "materialized view", "function", "procedure")
_HELP = "Drop or replace it in the contract before what it needs, or drop that in a later contract."


@dataclass
class _Line:
    """What the contracts up to here have taken away and nothing brought back, and what was said of it."""

    gone: dict[Key, Migration] = field(default_factory=dict)
    said: set[tuple[str, Key]] = field(default_factory=set)


@check("HIST08", "contract-still-needed", needs="history")
def contract_still_needed(context: VerifyContext) -> Iterator[CheckFailure]:
    contracts = [migration for migration in context.migrations if migration.phase == "contract"]
    if not contracts:
        return
    owner, settled = context.project.owner, frozen(context.project, context.migrations)
    line, ran = _Line(), list[Migration]()
    with throwaway(context.project.server) as server, scratch(server, context.project.session) as connection:
        for migration in context.migrations:
            before = context.look(connection) if migration in contracts else None
            try:
                replay(connection, [migration.up], owner=owner)
            except StatementFailed as failure:
                yield _cannot_run(migration, failure, line)
                return
            ran.append(migration)
            if before is None:
                continue
            after = context.look(connection)
            gone = [key for key in before.facts if key not in after.facts and key.kind in _LOOKED_FOR]
            line.gone |= dict.fromkeys(gone, migration)
            yield from _taken_along(migration, gone, ran)
            if migration.version not in settled:
                yield from _still_named(connection, after, line, ran)
        yield from _still_named(connection, context.look(connection), line, ran)


def _still_named(
    connection: Connection, now: Catalog, line: _Line, ran: list[Migration]
) -> Iterator[CheckFailure]:
    """The functions that name what is gone and did not come back."""
    missing = {key: by for key, by in line.gone.items() if key not in now.facts}
    tables = {key.name for key in missing if key.kind == "table"}
    for routine in routines(connection):
        why = refused(connection, routine)
        if routine.language == "sql" and why is None:
            continue
        for key, by in missing.items():
            goes_with_table = key.kind == "column" and key.name.rpartition(".")[0] in tables
            if goes_with_table or (routine.name, key) in line.said:
                continue
            if speaks_of(routine, key, now.facts):
                line.said.add((routine.name, key))
                made = _made(ran, routine.plain_name)
                tables_of = " and ".join(routine.trigger_of)
                runs = f", which the triggers of {tables_of} run," if tables_of else ""
                yield CheckFailure(
                    f"{by.label} drops {key}, and the function {routine.name}{runs} still names it"
                    f"{f' since {made.label}' if made else ''}.",
                    _place(by, key),
                    _HELP,
                )


def _taken_along(contract: Migration, gone: list[Key], ran: list[Migration]) -> Iterator[CheckFailure]:
    """What went with CASCADE although the contract does not speak of it."""
    whole = {key.name for key in gone if key.kind != "column"}
    for key in gone:
        words = parts(key.name)
        if key.kind not in _TAKEN_ALONG or all(_speaks(contract.up.text, word) for word in words[1:]):
            continue
        if key.kind == "column" and key.name.rpartition(".")[0] in whole:
            continue
        made = _made(ran[:-1], words[-1])
        yield CheckFailure(
            f"{contract.label} takes {key} along by CASCADE and does not say so"
            f"{f'; {made.label} made it' if made else ''}.",
            _place(contract, key),
            "Drop it by name where it is no longer needed, and leave CASCADE out.",
        )


def _cannot_run(migration: Migration, failure: StatementFailed, line: _Line) -> CheckFailure:
    """A migration that fails, perhaps because of what a contract took away."""
    said = f"{failure.message}\n{failure.detail}"
    by = next((by for key, by in line.gone.items() if _speaks(said, parts(key.name)[-1])), None)
    if by is None:
        raise failure
    return CheckFailure(
        f"{migration.label} needs what {by.label} has dropped: {failure.message}", failure.place, _HELP
    )


def _made(ran: list[Migration], name: str) -> Migration | None:
    """The last migration that speaks of creating something of this name."""
    made = re.compile(rf"\b(?:create|add)\b[^;]*?\b{re.escape(name)}\b", re.IGNORECASE)
    return next((migration for migration in reversed(ran) if made.search(migration.up.text)), None)


def _place(contract: Migration, key: Key) -> Place:
    """Where the contract names what is gone, else where its SQL begins."""
    found = re.search(rf"\b{re.escape(parts(key.name)[-1])}\b", contract.up.text, re.IGNORECASE)
    return contract.up.source.place(contract.up.start + (found.start() if found else 0))


def _speaks(text: str, name: str) -> bool:
    return re.search(rf"\b{re.escape(name)}\b", text, re.IGNORECASE) is not None
