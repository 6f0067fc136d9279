"""A database as hosted Supabase provides it: its roles, the schemas of the platform and their privileges.

Sources: the documentation and the init scripts of supabase/postgres and supabase/auth as of 2026. The tables
of auth are the project's own stand-in. The extension supautils, which lets `postgres` create roles with
BYPASSRLS before PostgreSQL 16, is not installed: an administrator creates that role.
"""

from __future__ import annotations

import re
from pathlib import Path

from psycopg import Connection

from aigym_db.database.connect import connect
from aigym_db.database.servers.databases import create_database
from aigym_db.database.servers.server import Server

HOSTED = "hosted"
"""A role with the privileges of `postgres` of hosted Supabase. `postgres` of a test server is a superuser."""
AUTH = Path(__file__).parents[2] / "schema/_macros/auth"
ROLES = f"""
create role supabase_admin superuser createdb createrole replication bypassrls login;
create role {HOSTED} nosuperuser createdb createrole replication bypassrls login;
create role supabase_auth_admin noinherit createrole login;
create role supabase_storage_admin noinherit createrole login;
create role anon nologin;
create role authenticated nologin;
create role service_role nologin bypassrls;
create role authenticator noinherit login;
grant anon, authenticated, service_role to authenticator;
"""
MEMBERSHIPS = "grant anon, authenticated, service_role, pg_monitor, pg_read_all_data, pg_signal_backend to {}"
FIRST_WITH_ADMIN = 16
"""From this version on, CREATEROLE alone does not permit granting a role, so `postgres` has ADMIN."""
BYPASSING = "create role aigym_authz nologin bypassrls"
SCHEMAS = f"""
set role supabase_admin;
create schema extensions;
create schema storage;
create schema auth;
grant usage on schema extensions, storage, auth to anon, authenticated, service_role;
grant all on schema extensions to {HOSTED};
grant usage on schema storage, auth to {HOSTED};
grant all on schema auth to supabase_auth_admin;
grant all on schema storage to supabase_storage_admin;
set role supabase_auth_admin;
"""
AUTH_FILES = (
    *("types", "users", "identities", "mfa_factors", "mfa_challenges", "sessions", "mfa_amr_claims"),
    *("refresh_tokens", "one_time_tokens", "audit_log_entries", "functions"),
)
PRIVILEGES = f"""
grant all on all tables in schema auth to {HOSTED};
grant select on all tables in schema auth to {HOSTED} with grant option;
grant all on all sequences in schema auth to {HOSTED};
grant all on all routines in schema auth to {HOSTED};
reset role;
"""


def hosted_database(server: Server, name: str) -> str:
    """Create the roles on a new server and a database owned by `HOSTED`; return the DSN of `HOSTED`."""
    with connect(server.dsn(), autocommit=True) as connection:
        connection.execute(ROLES.encode())
        admin = " with admin option" if server.major >= FIRST_WITH_ADMIN else ""
        connection.execute(f"{MEMBERSHIPS.format(HOSTED)}{admin}".encode())
        if server.major < FIRST_WITH_ADMIN:
            connection.execute(BYPASSING.encode())
    create_database(server, name, owner=HOSTED)
    with connect(server.dsn(name), autocommit=True) as connection:
        _create_auth(connection)
    return server.dsn(name, HOSTED)


def _create_auth(connection: Connection[tuple[object, ...]]) -> None:
    """Create the schemas of the platform; the grants of the stand-in to roles of the project are left out."""
    connection.execute(SCHEMAS.encode())
    for name in AUTH_FILES:
        text = (AUTH / f"{name}.sql.j2").read_text(encoding="utf-8")
        connection.execute(re.sub(r"^grant [^;]*;", "", text, flags=re.MULTILINE).encode())
    connection.execute(PRIVILEGES.encode())
