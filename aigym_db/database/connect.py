"""Connections that keep the session contract: what every session runs under, checked before use."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import psycopg
from psycopg.conninfo import make_conninfo
from psycopg.rows import dict_row

from aigym_db.database.dsn import parameters, resolve, shown, without_secrets
from aigym_db.database.failure import explain_error, first_line
from aigym_db.database.queries import query
from aigym_db.errors import AigymError, BehindPooler, CannotConnect, ServerUnfit

__all__ = ["SessionSettings", "connect", "explain_error", "resolve", "shown"]

SUPPORTED = (15, 16, 17, 18)
"""The major versions of PostgreSQL that the package supports."""

CONNECT_TIMEOUT_S = 10
"""How long one host may take to answer, unless the connection string or PGCONNECT_TIMEOUT says otherwise."""

CHECK_INTERVAL_MS = 1_000
"""How often the server looks, during a statement, whether we are still there: it ends the statement of a
runner that was killed. Source: PostgreSQL documentation, `client_connection_check_interval`."""

_KEEPALIVE = {
    "keepalives": "1",
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    # What was sent and nobody takes: keepalives say nothing while data is on its way.
    "tcp_user_timeout": "60000",
}


_SERVER_KEEPALIVE = {
    # The server's end of the same: what is cut off without a word would hold its locks for two hours.
    "tcp_keepalives_idle": 30,
    "tcp_keepalives_interval": 10,
    "tcp_keepalives_count": 3,
    "tcp_user_timeout": 60_000,
}
"""Sent but not read back: through a Unix socket they are 0."""

Found = Mapping[str, Any]
"""What the server says the session runs under, by name."""


@dataclass(frozen=True, slots=True)
class SessionSettings:
    """What a session runs under; times in milliseconds, 0 is without limit."""

    lock_timeout_ms: int = 2_000
    """How long a statement may wait for its lock, and so how long it may make others wait behind it."""
    statement_timeout_ms: int = 0
    idle_in_transaction_timeout_ms: int = 60_000
    """After this long between two statements of a transaction the server ends it and its locks."""
    role: str | None = None
    """The role to act as, where it is not the one that connects; that one's own setting does not count."""
    application_name: str = "aigym-db"
    search_path: str = "pg_catalog"
    """The default has PostgreSQL's own schema alone: the package's queries qualify every other name."""
    jit: Literal["off"] | None = "off"
    """Whether JIT compilation is switched off; None keeps the server's setting. Compiling a query of the
    package takes 1.0-1.2 s on Debian's PostgreSQL 15, running it some milliseconds."""

    def settings(self) -> dict[str, str | int]:
        """The settings to send, and what the server has to answer when asked for them."""
        return {
            "row_security": "off",
            # A role or a database may have its own; a migration has to mean the same everywhere. Where its
            # tables are stored (default_tablespace, default_table_access_method) is theirs to say.
            "role": self.role or "none",
            "DateStyle": "ISO, MDY",
            "TimeZone": "UTC",
            "IntervalStyle": "postgres",
            "standard_conforming_strings": "on",
            "transform_null_equals": "off",
            "xmloption": "content",
            "check_function_bodies": "on",
            "client_min_messages": "notice",
            "default_transaction_isolation": "read committed",
            "default_transaction_deferrable": "off",
            "search_path": self.search_path,
            "lock_timeout": self.lock_timeout_ms,
            "statement_timeout": self.statement_timeout_ms,
            "idle_in_transaction_session_timeout": self.idle_in_transaction_timeout_ms,
            # The session that holds the runner's lock is idle by design.
            "idle_session_timeout": 0,
            "client_connection_check_interval": CHECK_INTERVAL_MS,
            **({"jit": self.jit} if self.jit else {}),
        }


def connect(
    dsn: str | None = None, *, session: SessionSettings | None = None, autocommit: bool = False
) -> psycopg.Connection[tuple[Any, ...]]:
    """A connection to `resolve(dsn)` whose session is as `session` says.

    The settings are sent while connecting, because then RESET and DISCARD ALL keep them, and read back in one
    round trip, because a pooler may drop them. Where it turns out that more has to be set, it connects anew.

    Raise BadCommandLine (AIG-P013) if the connection string is malformed, CannotConnect (AIG-S001) if the
    server rejects the connection, BehindPooler (AIG-G006) if a pooler dropped a setting, and ServerUnfit
    (AIG-G005) if the version is not supported or triggers are disabled by session_replication_role.
    """
    wanted = session or SessionSettings()
    text = resolve(dsn)
    connection, found = _opened(text, wanted, wanted.settings())
    more = _more(found)
    if more:
        connection.close()
        connection, found = _opened(text, wanted, {**wanted.settings(), **more})
    connection.autocommit = autocommit
    return connection


def _opened(
    dsn: str, wanted: SessionSettings, settings: Mapping[str, str | int]
) -> tuple[psycopg.Connection[tuple[Any, ...]], Found]:
    """A connection that was sent these settings and has them."""
    words = _words(parameters(dsn), wanted, settings)
    try:
        connection = psycopg.connect(make_conninfo(dsn, **words), autocommit=True, prepare_threshold=None)
    except psycopg.Error as error:
        if "unrecognized configuration parameter" in str(error):
            _require_supported_without_settings(dsn)
        raise _refused(error, dsn, wanted) from None
    try:
        _require_supported(connection, dsn)
        return connection, _checked(connection, wanted, settings, dsn)
    except BaseException:
        connection.close()
        raise


def _require_supported(connection: psycopg.Connection[tuple[Any, ...]], dsn: str) -> None:
    major = connection.info.server_version // 10_000
    if major not in SUPPORTED:
        raise ServerUnfit(
            f"PostgreSQL {major} is not supported: {shown(dsn)}.",
            hint=f"Use PostgreSQL {SUPPORTED[0]} to {SUPPORTED[-1]}.",
        )


def _require_supported_without_settings(dsn: str) -> None:
    """Check the version of a server that rejected a setting: PostgreSQL 13 and older lack some of them."""
    try:
        with psycopg.connect(dsn, autocommit=True) as connection:
            _require_supported(connection, dsn)
    except psycopg.Error:
        return


def _more(found: Found) -> dict[str, str | int]:
    """What can be told only once connected that it has to be set."""
    more: dict[str, str | int] = {}
    # Unknown before PostgreSQL 17, which would refuse the connection.
    if found["transaction_timeout"]:
        more["transaction_timeout"] = 0
    # What we say is done has to outlive a crash; whoever waits for standbys goes on doing so. Without fsync
    # nothing outlives one.
    if found["synchronous_commit"] == "off" and found["fsync"] == "on":
        more["synchronous_commit"] = "on"
    return more


def startup_options(given: str, settings: Mapping[str, str | int]) -> str:
    """libpq's `options` with `settings` after what is `given`: the server takes the last word on each."""
    words = [f"-c {name}={_escaped(str(value))}" for name, value in settings.items()]
    return " ".join([given, *words] if given else words)


def _words(
    known: Mapping[str, str], wanted: SessionSettings, settings: Mapping[str, str | int]
) -> dict[str, str]:
    """What we add to a connection string of which `known` is known."""
    defaults = {**_KEEPALIVE, "connect_timeout": str(CONNECT_TIMEOUT_S)}
    return {
        **{key: value for key, value in defaults.items() if not known.get(key)},
        "options": startup_options(known.get("options", ""), {**_SERVER_KEEPALIVE, **settings}),
        # Texts are sent as UTF-8; PGCLIENTENCODING or the role's own setting would store them garbled.
        "client_encoding": "UTF8",
        "application_name": wanted.application_name,
    }


def _escaped(value: str) -> str:
    return re.sub(r"([ \\])", r"\\\1", value)


def _checked(
    connection: psycopg.Connection[tuple[Any, ...]],
    wanted: SessionSettings,
    settings: Mapping[str, str | int],
    dsn: str,
) -> Found:
    try:
        with connection.cursor(row_factory=dict_row) as cursor:
            found = cursor.execute(query("connect/session").encode()).fetchone()
    except psycopg.Error as error:
        raise _refused(error, dsn, wanted) from None
    assert found is not None
    expected = {**settings, "backend_pid": connection.pgconn.backend_pid}
    missing = [
        f"{name} is {found[name]}, not {value}"
        for name, value in expected.items()
        if str(found[name]) != str(value)
    ]
    if missing:
        raise _behind_pooler(dsn, "\n".join(missing))
    if found["session_replication_role"] != "origin":
        # Only a superuser may change it.
        raise ServerUnfit(
            f"In sessions on {shown(dsn)} session_replication_role is {found['session_replication_role']}: "
            "triggers and foreign keys do not run.",
            hint="Reset it where it is set: ALTER ROLE … or ALTER DATABASE … RESET session_replication_role, "
            "or PGOPTIONS.",
        )
    return found


def _behind_pooler(dsn: str, detail: str) -> BehindPooler:
    return BehindPooler(
        f"Between us and {shown(dsn)} stands a pooler that does not give us one server session of our own.",
        detail=detail,
        hint="Connect to PostgreSQL itself, on its own port (often 5432), and not through the pooler.",
    )


_CAUSES = (
    (
        r"password authentication failed|no password supplied|28P01",
        "Check the user and its password (PGPASSWORD, ~/.pgpass).",
    ),
    (
        r'database ".*" does not exist|3D000',
        "Create the database, or correct its name: PostgreSQL lists them with `psql -l`.",
    ),
    (r'role ".*" does not exist|28000', "Correct the user in the connection string, or create the role."),
    (
        r"no pg_hba\.conf entry",
        "Let pg_hba.conf of the server accept this user from this address, or connect with TLS.",
    ),
    (r"Connection refused|No such file or directory", "Start the server, or correct the host and port."),
    (
        r"translate host name|Name or service not known|resolve",
        "Correct the name of the host; it is not known here.",
    ),
    (
        r"timeout expired|timed out",
        "Check the host, the port and the firewall between: nothing answers there.",
    ),
    (
        r"too many connections for (role|database)",
        "Close its other connections, or raise its CONNECTION LIMIT: aigym-db takes two.",
    ),
    (
        r"too many (clients|connections)|53300",
        "Close other connections, or raise max_connections on the server.",
    ),
    (
        r"starting up|shutting down|recovery mode|57P03",
        "Wait a moment and try again: the server is not up yet.",
    ),
    (r"SSL|certificate", "Check sslmode and the certificates of both sides."),
    (r"service .* not found|service file", "Correct the name of the service, or add it to the service file."),
)


def _refused(error: psycopg.Error, dsn: str, wanted: SessionSettings) -> AigymError:
    said = without_secrets(str(error).strip(), dsn)
    if "unsupported startup parameter" in said:
        return _behind_pooler(dsn, said)
    found = f"{error.sqlstate} {said}"
    hint = next((hint for cause, hint in _CAUSES if re.search(f"(?i){cause}", found)), "")
    if wanted.role and f'"{wanted.role}"' in said and wanted.role != parameters(dsn).get("user"):
        hint = "Create the role that the session is to act as, and grant it to the user who connects."
    return CannotConnect(
        f"No connection to {shown(dsn)}.",
        detail=said or without_secrets(first_line(error), dsn),
        hint=hint or "Check the connection string, and that the server is running.",
    )
