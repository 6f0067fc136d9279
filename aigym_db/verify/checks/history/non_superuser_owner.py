"""A migration that requires a superuser, or whose effect differs if a superuser runs it.

Migrations run as a superuser on temporary servers, but not in production. A superuser bypasses row-level
security and permission checks, so an UPDATE that changes no rows in production changes rows in the test. The
check runs all migrations a second time: a superuser has created the roles, the database belongs to the owner,
and the connecting role is a NOSUPERUSER NOBYPASSRLS member of the owner. The catalogs must be equal.

What to do: make statements that need a superuser conditional, so that an administrator can run them first.

breaks: edit migrations/0001_roles.sql: -- migrate:down -> alter role history_owner createdb;
    -- migrate:down
finding: permission denied to alter role
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from psycopg import sql

from aigym_db.database.connect import connect
from aigym_db.database.replay import create_owner, replay, replayed, scratch
from aigym_db.database.servers.server import SUPERUSER, TEMPLATE, Server
from aigym_db.model.catalog import Catalog, Key
from aigym_db.verify.check import CheckFailure, check
from aigym_db.verify.context import VerifyContext
from aigym_db.verify.differences import failures
from aigym_db.verify.locate import place_of_key

LOGIN = "aigym_verify_plain_login"
_NOT_COMPARED = ("role", "membership", "setting", "database")
"""Kinds of object that depend on the server, not on the role that migrates."""


@check("HIST07", "non-superuser-owner", needs="history")
def non_superuser_owner(context: VerifyContext) -> Iterator[CheckFailure]:
    """Yield a failure for each object that differs if a non-superuser runs the migrations.

    Raise StatementFailed (AIG-S002) if a statement fails without superuser privileges.
    """
    owner = context.project.owner
    if owner is None:
        yield CheckFailure(
            "`owner` is not set: the connecting role owns the objects that migrations create.",
            hint="Set `owner` to a role without LOGIN; migrations then run as that role.",
            level="note",
        )
        return
    with replayed(context.project.server, context.ups, context.session) as server:
        _make_login(server, owner)
        with scratch(server, context.session, user=LOGIN, database_owner=owner) as connection:
            replay(connection, context.ups, owner=owner)
            as_member = context.catalog_of(connection)
    yield from failures(
        _comparable(context.history).difference(_comparable(as_member)),
        "if a superuser migrates",
        "if a non-superuser member of the owner migrates",
        place=lambda key: place_of_key(context, key),
        advice="Create it as the owner, or make statements that need a superuser conditional.",
    )


def _make_login(server: Server, owner: str) -> None:
    with connect(server.dsn(TEMPLATE), autocommit=True) as connection:
        create_owner(connection, owner)
        connection.execute(
            sql.SQL("create role {} login nosuperuser nobypassrls in role {}").format(
                sql.Identifier(LOGIN), sql.Identifier(owner)
            )
        )


def _comparable(catalog: Catalog) -> Catalog:
    """Return the catalog without the connecting role, the database owner and the roles of the server."""

    def same(facts: Mapping[str, str]) -> dict[str, str]:
        named = {fact: value.replace(LOGIN, SUPERUSER) for fact, value in facts.items()}
        return named | ({"acl": " ".join(sorted(named["acl"].split(" ")))} if "acl" in named else {})

    return Catalog(
        {
            Key(key.kind, key.name.replace(LOGIN, SUPERUSER)): same(facts)
            for key, facts in catalog.facts.items()
            if key.kind not in _NOT_COMPARED
        }
    )
