"""A migration that only a superuser can run, or that does something else when one runs it.

Throwaway servers are used as a superuser, production is not. A superuser passes row-level security, so an
UPDATE that changes no row for anybody else looks well; and may do what is refused elsewhere. So the whole
chain runs a second time: a superuser has made the roles, the database belongs to the owner, and who connects
is NOSUPERUSER NOBYPASSRLS and a member of the owner. What comes out must be the same database.

What to do: guard what needs a superuser so that it does nothing where an administrator has prepared it.

breaks: edit migrations/0001_roles.sql: -- migrate:down -> alter role history_owner createdb;
    -- migrate:down
finding: permission denied to alter role
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from psycopg import sql

from aigym_db.database.connect import connect
from aigym_db.database.replay import replay, replayed, scratch
from aigym_db.database.servers import TEMPLATE, Server
from aigym_db.database.servers.server import SUPERUSER
from aigym_db.model.catalog import Catalog, Key
from aigym_db.verify.check import CheckFailure, check
from aigym_db.verify.context import VerifyContext
from aigym_db.verify.differences import failures
from aigym_db.verify.locate import where_key

LOGIN = "aigym_verify_plain_login"
_OF_SERVER = ("role", "membership", "setting", "database")


@check("HIST07", "plain-owner", needs="history")
def plain_owner(context: VerifyContext) -> Iterator[CheckFailure]:
    owner = context.project.owner
    if owner is None:
        yield CheckFailure(
            "The project does not say who owns its objects, so whoever migrates does.",
            help="Set `owner` to a role that cannot log in, and let the migrations run as it.",
            level="note",
        )
        return
    with replayed(context.project.server, context.ups, context.project.session) as server:
        _make_login(server, owner)
        with scratch(server, context.project.session, user=LOGIN, database_owner=owner) as connection:
            replay(connection, context.ups, owner=owner)
            plain = context.look(connection)
    yield from failures(
        _alike(context.history).difference(_alike(plain)),
        "when a superuser migrates",
        "when a plain member of the owner does",
        place=lambda key: where_key(context, key),
        advice="Let the owner make it, or guard what needs a superuser.",
    )


def _make_login(server: Server, owner: str) -> None:
    with connect(server.dsn(TEMPLATE), autocommit=True) as connection:
        connection.execute(
            sql.SQL("create role {} login nosuperuser nobypassrls in role {}").format(
                sql.Identifier(LOGIN), sql.Identifier(owner)
            )
        )


def _alike(catalog: Catalog) -> Catalog:
    """Without what differs on purpose: who connected, whose the database is, the roles of the server."""

    def same(facts: Mapping[str, str]) -> dict[str, str]:
        named = {fact: value.replace(LOGIN, SUPERUSER) for fact, value in facts.items()}
        return named | ({"acl": " ".join(sorted(named["acl"].split(" ")))} if "acl" in named else {})

    return Catalog(
        {
            Key(key.kind, key.name.replace(LOGIN, SUPERUSER)): same(facts)
            for key, facts in catalog.facts.items()
            if key.kind not in _OF_SERVER
        }
    )
