"""A contract that drops an object that others still need.

A migration marked `phase:contract` drops what the running application no longer needs. PostgreSQL rejects the
drop of an object that a view or a foreign key depends on, but it records no dependencies for function bodies:
a trigger that copies an old column to a new one still names the old column and fails at the next row. The
check runs the migrations on a temporary server and compares the catalog before and after each contract. It
reports functions, procedures and triggers that still name a dropped object, views and columns of other
objects that CASCADE dropped, and later migrations that fail because they need a dropped object.

A frozen contract is checked against the last migration, because a later one may have corrected it.

What to do: in the contract, drop or replace the dependent object first; or drop the object later.

breaks: write migrations/0003_drop.sql: -- migrate:up phase:contract
    create function app.name_of() returns text language plpgsql as $$
    begin return (select name from app.birds); end $$;
    alter table app.birds drop column name;
    -- migrate:down irreversible: the names are lost
finding: the function app.name_of() still names it
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from aigym_db.database.migration_session import Connection
from aigym_db.database.replay import replay, scratch
from aigym_db.database.servers.throwaway import throwaway
from aigym_db.errors import StatementFailed
from aigym_db.model.catalog import Catalog, Key
from aigym_db.model.migration import Migration
from aigym_db.model.source import Place
from aigym_db.project.lock_file import frozen
from aigym_db.verify.check import CheckFailure, check
from aigym_db.verify.context import VerifyContext
from aigym_db.verify.routines import creation_error, identifiers, mentions, routines

_CHECKED = (
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
_DROPPED_BY_CASCADE = ("column", "view", "materialized view", "function", "procedure")
_HELP = (
    "Drop or replace it in the contract before the object it needs, or drop that object in a later contract."
)


@check("HIST08", "contract-still-needed", needs="history")
def contract_still_needed(context: VerifyContext) -> Iterator[CheckFailure]:
    """Yield a failure for each object that a contract dropped although it is still needed."""
    contracts = [migration for migration in context.migrations if migration.phase == "contract"]
    if not contracts:
        return
    owner, frozen_versions = context.project.owner, frozen(context.project, context.migrations)
    dropped, ran, reported = dict[Key, Migration](), list[Migration](), set[tuple[str, Key]]()
    with throwaway(context.project.server) as server, scratch(server, context.session) as connection:
        for migration in context.migrations:
            before = context.catalog_of(connection) if migration in contracts else None
            try:
                replay(connection, [migration.up], owner=owner)
            except StatementFailed as failure:
                yield _cannot_run(migration, failure, dropped)
                return
            ran.append(migration)
            if before is None:
                continue
            after = context.catalog_of(connection)
            newly_dropped = [key for key in before.facts if key not in after.facts and key.kind in _CHECKED]
            dropped |= dict.fromkeys(newly_dropped, migration)
            yield from _dropped_by_cascade(migration, newly_dropped, ran)
            if migration.version not in frozen_versions:
                named = _still_named(connection, after, dropped, ran)
                yield from (named[pair] for pair in named if pair not in reported)
                reported |= named.keys()
        named = _still_named(connection, context.catalog_of(connection), dropped, ran)
        yield from (named[pair] for pair in named if pair not in reported)


def _still_named(
    connection: Connection, now: Catalog, dropped: Mapping[Key, Migration], ran: list[Migration]
) -> dict[tuple[str, Key], CheckFailure]:
    """Return a failure for each pair of a function and a dropped object that it names.

    `dropped` maps each object to the contract that dropped it; those in `now`, the current catalog, were
    created again and are left out.
    """
    failures = {}
    missing = {key: by for key, by in dropped.items() if key not in now.facts}
    tables = {key.name for key in missing if key.kind == "table"}
    for routine in routines(connection):
        error = creation_error(connection, routine)
        if routine.language == "sql" and error is None:
            continue
        for key, by in missing.items():
            goes_with_table = key.kind == "column" and key.name.rpartition(".")[0] in tables
            if not goes_with_table and mentions(routine, key, now.facts):
                creator = _last_creator(ran, routine.plain_name)
                tables_of = " and ".join(routine.trigger_of)
                runs = f", which the triggers of {tables_of} run," if tables_of else ""
                failures[routine.name, key] = CheckFailure(
                    f"{by.label} drops {key}, and the function {routine.name}{runs} still names it"
                    f"{f' since {creator.label}' if creator else ''}.",
                    _place(by, key),
                    _HELP,
                )
    return failures


def _dropped_by_cascade(
    contract: Migration, dropped: list[Key], ran: list[Migration]
) -> Iterator[CheckFailure]:
    """Yield a failure for each object that CASCADE dropped and the contract does not name."""
    whole = {key.name for key in dropped if key.kind != "column"}
    for key in dropped:
        words = identifiers(key.name)
        if key.kind not in _DROPPED_BY_CASCADE or all(
            _contains(contract.up.text, word) for word in words[1:]
        ):
            continue
        if key.kind == "column" and key.name.rpartition(".")[0] in whole:
            continue
        creator = _last_creator(ran[:-1], words[-1])
        yield CheckFailure(
            f"{contract.label} drops {key} by CASCADE and does not name it"
            f"{f'; {creator.label} created it' if creator else ''}.",
            _place(contract, key),
            "Drop it by name in the contract, without CASCADE.",
        )


def _cannot_run(
    migration: Migration, failure: StatementFailed, dropped: Mapping[Key, Migration]
) -> CheckFailure:
    """Return the failure if an object dropped by a contract caused the error; else raise the error."""
    text = f"{failure.message}\n{failure.detail}"
    by = next((by for key, by in dropped.items() if _contains(text, identifiers(key.name)[-1])), None)
    if by is None:
        raise failure
    return CheckFailure(
        f"{migration.label} needs what {by.label} has dropped: {failure.message}", failure.place, _HELP
    )


def _last_creator(ran: list[Migration], name: str) -> Migration | None:
    """Return the last migration that contains CREATE or ADD with this name."""
    creation = re.compile(rf"\b(?:create|add)\b[^;]*?\b{re.escape(name)}\b", re.IGNORECASE)
    return next((migration for migration in reversed(ran) if creation.search(migration.up.text)), None)


def _place(contract: Migration, key: Key) -> Place:
    """Return the place where the contract names the object, else the start of its SQL."""
    match = re.search(rf"\b{re.escape(identifiers(key.name)[-1])}\b", contract.up.text, re.IGNORECASE)
    return contract.up.source.place(contract.up.start + (match.start() if match else 0))


def _contains(text: str, name: str) -> bool:
    return re.search(rf"\b{re.escape(name)}\b", text, re.IGNORECASE) is not None
