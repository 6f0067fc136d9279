"""A database that differs from the result of its migrations.

Manual changes cause drift: an index created during an incident, a temporary grant that was never revoked,
row-level security disabled, a role that gained LOGIN. The check runs the migrations in the ledger on a
temporary server and compares the two catalogs, fact by fact. Extra objects that may belong to the server
(extensions, roles, settings) are warnings.

What to do: revert the change by hand, or add a migration that contains it.

breaks: alter table app.birds add column size int
finding: column app.birds.size
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace

from aigym_db.database.connect import connect
from aigym_db.database.ledger import applied
from aigym_db.database.replay import creates_owner, replayed
from aigym_db.database.servers.binaries import EMBEDDED
from aigym_db.database.servers.server import TEMPLATE
from aigym_db.model.catalog import THIS_DATABASE, Catalog, Difference, Key
from aigym_db.model.finding import Level
from aigym_db.syntax.quote import quoted
from aigym_db.verify.check import CheckFailure, check
from aigym_db.verify.context import VerifyContext
from aigym_db.verify.differences import failures
from aigym_db.verify.locate import place_of_key

_OF_ENVIRONMENT = ("role", "membership", "setting", "extension", "system privileges", "default privileges")
"""Kinds of object that an administrator may add outside the migrations; an additional one is a warning."""
_PRODUCTION_MARKER = Key("setting", "aigym.environment of all roles in this database")
"""The setting that `docs/production.md` recommends for production databases; no migration contains it."""
_HELP = "Revert the change by hand, or add it to the migrations: `aigym-db new NAME`."


@check("HIST04", "drift", needs="live")
def drift(context: VerifyContext) -> Iterator[CheckFailure]:
    """Yield a failure for each object of the database that differs from the result of its migrations."""
    ran = {row.version for row in applied(context.database)}
    ups = tuple(migration.up for migration in context.migrations if migration.version in ran)
    with (
        replayed(_server_like(context), ups, context.session) as server,
        connect(server.dsn(TEMPLATE), autocommit=True) as connection,
    ):
        expected = context.catalog_of(connection, all_roles=True)
    live, name = _live(context, expected), context.database.info.dbname
    owners = {catalog.facts[THIS_DATABASE].get("owner", "").strip('"') for catalog in (expected, live)}
    compared = [_comparable(catalog, name, owners) for catalog in (expected, live)]
    differences = [
        item
        for item in compared[0].difference(compared[1])
        if _is_determined(item, expected, context.project.owner)
    ]
    extra = [item for item in differences if item.left is None and item.key.kind in _OF_ENVIRONMENT]
    others = [item for item in differences if item not in extra]
    by_level: tuple[tuple[list[Difference], Level | None], ...] = ((others, None), (extra, "warning"))
    for group, level in by_level:
        for failure in failures(
            group,
            "after the migrations",
            "in the database",
            place=lambda key: None if key.kind == "database" else place_of_key(context, key),
            advice=_HELP,
        ):
            yield replace(failure, level=level)


def _server_like(context: VerifyContext) -> str:
    """Return a server of the same major version if available: the output of deparsing depends on it."""
    major = context.database.info.server_version // 10_000
    known = context.project.server == "embedded" and major in EMBEDDED
    return f"embedded:{major}" if known else context.project.server


def _live(context: VerifyContext, expected: Catalog) -> Catalog:
    """Return the catalog of the database, with the roles that it uses or that the migrations create."""
    near = context.catalog_of(context.database).facts
    every = context.catalog_of(context.database, all_roles=True).facts
    return Catalog({key: every[key] for key in every if key in near or key in expected.facts})


def _comparable(catalog: Catalog, name: str, owners: Collection[str]) -> Catalog:
    """Return the catalog with the database under its `name`, and without the privileges of its owners and
    the setting that marks production databases.

    An owner has every privilege, granted or not; `owners` are those of both databases, without quotes.
    """
    others = {
        key: facts
        for key, facts in catalog.facts.items()
        if key.kind != "database" and key != _PRODUCTION_MARKER
    }
    facts = dict(catalog.facts[THIS_DATABASE])
    grants = (item.rpartition("/") for item in facts.get("acl", "").split())
    facts["acl"] = " ".join(
        sorted(
            f"{grant}/owner" if grantor.strip('"') in owners else f"{grant}/{grantor}"
            for grant, _, grantor in grants
            if grant.rpartition("=")[0].strip('"') not in owners
        )
    )
    return Catalog({**others, Key("database", name): facts})


def _is_determined(difference: Difference, expected: Catalog, owner: str | None) -> bool:
    """Return True if the migrations determine the value that differs.

    They do not determine owner and comment of the database, which are set when it is created, nor the
    attributes of an owner role that no migration creates.
    """
    key = difference.key
    if key.kind == "role" and owner is not None and key.name in (owner, quoted(owner)):
        return key in expected.facts and not creates_owner(expected)
    return key.kind != "database" or difference.fact not in ("owner", "comment")
