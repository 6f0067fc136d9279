"""A database that is not what its migrations make.

Somebody has changed it by hand: an index built in a hurry, a grant for a day that is still there, row-level
security switched off, a role that may suddenly log in. The migrations the ledger names are run on a throwaway
server, and the two catalogs are compared, fact by fact. What a server may have of its own (extensions, roles,
settings) and the migrations do not know is a warning.

What to do: take the change back, or write the migration that makes it part of history.

breaks: alter table app.birds add column size int
finding: column app.birds.size
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from aigym_db.database.connect import connect
from aigym_db.database.ledger import applied
from aigym_db.database.replay import replayed
from aigym_db.database.servers import TEMPLATE
from aigym_db.database.servers.binaries import EMBEDDED
from aigym_db.model.catalog import Catalog, Difference
from aigym_db.model.finding import Level
from aigym_db.verify.check import CheckFailure, check
from aigym_db.verify.context import VerifyContext
from aigym_db.verify.differences import failures
from aigym_db.verify.locate import where_key

_OF_SERVER = ("role", "membership", "setting", "extension", "system privileges", "default privileges")
_HELP = "Take the change back, or make it part of history: `aigym-db new NAME`."


@check("HIST04", "drift", needs="live")
def drift(context: VerifyContext) -> Iterator[CheckFailure]:
    ran = {row.version for row in applied(context.database)}
    ups = tuple(migration.up for migration in context.migrations if migration.version in ran)
    with (
        replayed(_server_like(context), ups, context.project.session) as server,
        connect(server.dsn(TEMPLATE), autocommit=True) as connection,
    ):
        expected = context.look(connection, all_roles=True)
    differences = [one for one in expected.difference(_live(context, expected)) if _counts(one)]
    extra = [one for one in differences if one.left is None and one.key.kind in _OF_SERVER]
    others = [one for one in differences if one not in extra]
    by_level: tuple[tuple[list[Difference], Level | None], ...] = ((others, None), (extra, "warning"))
    for some, level in by_level:
        for found in failures(
            some,
            "after the migrations",
            "in the database",
            place=lambda key: where_key(context, key),
            advice=_HELP,
        ):
            yield replace(found, level=level)


def _server_like(context: VerifyContext) -> str:
    """A throwaway server of the same version, if we have one: definitions are printed differently."""
    major = context.database.info.server_version // 10_000
    known = context.project.server == "embedded" and major in EMBEDDED
    return f"embedded:{major}" if known else context.project.server


def _live(context: VerifyContext, expected: Catalog) -> Catalog:
    """The database with the roles that matter to it, and those that the migrations make."""
    near = context.look(context.database).facts
    every = context.look(context.database, all_roles=True).facts
    return Catalog({key: every[key] for key in every if key in near or key in expected.facts})


def _counts(difference: Difference) -> bool:
    """Who owns a database, and its comment, are decided where it is created."""
    return difference.key.kind != "database" or difference.fact not in ("owner", "comment")
