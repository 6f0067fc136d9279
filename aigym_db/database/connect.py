"""Connections with defined session settings, which are read back before use."""

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
"""The default of libpq's connect_timeout, per host."""

CHECK_INTERVAL_MS = 1_000
"""How often the server checks during a statement that the client is connected: it cancels the statement of a
killed runner. Source: PostgreSQL documentation, `client_connection_check_interval`."""

_KEEPALIVE = {
    "keepalives": "1",
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    # For data that was sent and is not acknowledged: TCP sends no keepalives meanwhile.
    "tcp_user_timeout": "60000",
}


_SERVER_KEEPALIVE = {
    # The same on the server: without it, a session cut off from its client keeps its locks for two hours.
    "tcp_keepalives_idle": 30,
    "tcp_keepalives_interval": 10,
    "tcp_keepalives_count": 3,
    "tcp_user_timeout": 60_000,
}
"""Sent but not read back: through a Unix socket they are 0."""

ReportedSettings = Mapping[str, Any]
"""The settings of a session as the server reports them, by name."""


@dataclass(frozen=True, slots=True)
class SessionSettings:
    """The settings of a session; times in milliseconds, 0 is no limit."""

    lock_timeout_ms: int = 2_000
    """The longest wait of a statement for a lock, which blocks later sessions in the queue."""
    statement_timeout_ms: int = 0
    idle_in_transaction_timeout_ms: int = 60_000
    """After this time between two statements of a transaction the server terminates the session."""
    role: str | None = None
    """The role set at the start; None is the role that connects, also where it has a setting `role`."""
    application_name: str = "aigym-db"
    search_path: str = "pg_catalog"
    """The default has PostgreSQL's own schema alone: the package's queries qualify every other name."""
    jit: Literal["off"] | None = "off"
    """`off` disables JIT compilation; None keeps the server's setting. Compiling a query of the
    package takes 1.0-1.2 s on Debian's PostgreSQL 15, running it some milliseconds."""
    read_only: bool = False
    """True if the server rejects every statement that writes."""

    def settings(self) -> dict[str, str | int]:
        """Return the settings to send; the server has to report the same values."""
        return {
            "row_security": "off",
            # Roles and databases may have settings of their own, and a migration has to have the same effect
            # everywhere. Storage (default_tablespace, default_table_access_method) keeps their settings.
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
            # The session that holds the runner lock is idle by design.
            "idle_session_timeout": 0,
            "client_connection_check_interval": CHECK_INTERVAL_MS,
            **({"jit": self.jit} if self.jit else {}),
            **({"default_transaction_read_only": "on"} if self.read_only else {}),
        }


def connect(
    dsn: str | None = None, *, session: SessionSettings | None = None, autocommit: bool = False
) -> psycopg.Connection[tuple[Any, ...]]:
    """Return a connection to `resolve(dsn)` with the settings of `session`.

    Settings are startup options, which RESET and DISCARD ALL keep; they are read back in one round trip,
    because a pooler may drop them. If the server needs additional settings, connect a second time.

    Raise BadCommandLine (AIG-P013) if the connection string is malformed, CannotConnect (AIG-S001) if the
    server rejects the connection, BehindPooler (AIG-G006) if a pooler dropped a setting, and ServerUnfit
    (AIG-G005) if the version is not supported or triggers are disabled by session_replication_role.
    """
    expected = session or SessionSettings()
    text = resolve(dsn)
    connection, reported = _open(text, expected, expected.settings())
    # A session that only reads has no commit to protect, and keeps the limits of its role.
    additional = {} if expected.read_only else _additional(reported)
    if additional:
        connection.close()
        connection, reported = _open(text, expected, {**expected.settings(), **additional})
    connection.set_autocommit(autocommit)
    return connection


def _open(
    dsn: str, session: SessionSettings, settings: Mapping[str, str | int]
) -> tuple[psycopg.Connection[tuple[Any, ...]], ReportedSettings]:
    """Open a connection with these settings and check them."""
    additional = _connection_parameters(parameters(dsn), session, settings)
    try:
        connection = psycopg.connect(
            make_conninfo(dsn, **additional), autocommit=True, prepare_threshold=None
        )
    except psycopg.Error as error:
        if "unrecognized configuration parameter" in str(error):
            _require_supported_without_settings(dsn)
        raise _cannot_connect(error, dsn, session) from None
    try:
        _require_supported(connection, dsn)
        return connection, _checked(connection, session, settings, dsn)
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


def _additional(reported: ReportedSettings) -> dict[str, str | int]:
    """Return the settings whose need shows only after connecting."""
    additional: dict[str, str | int] = {}
    # PostgreSQL 16 and older do not have it and would reject the connection.
    if reported["transaction_timeout"]:
        additional["transaction_timeout"] = 0
    # A commit that the package reports has to survive a crash; settings that wait for standbys are kept.
    # Without fsync no commit survives one.
    if reported["synchronous_commit"] == "off" and reported["fsync"] == "on":
        additional["synchronous_commit"] = "on"
    return additional


def startup_options(given: str, settings: Mapping[str, str | int]) -> str:
    """Return libpq's `options` with `settings` after those `given`: the last value of a setting applies."""
    words = [f"-c {name}={_escaped(str(value))}" for name, value in settings.items()]
    return " ".join([given, *words] if given else words)


def _connection_parameters(
    known: Mapping[str, str], session: SessionSettings, settings: Mapping[str, str | int]
) -> dict[str, str]:
    """Return the parameters to add to those that are `known`."""
    defaults = {**_KEEPALIVE, "connect_timeout": str(CONNECT_TIMEOUT_S)}
    return {
        **{key: value for key, value in defaults.items() if not known.get(key)},
        "options": startup_options(known.get("options", ""), {**_SERVER_KEEPALIVE, **settings}),
        # Texts are sent as UTF-8; PGCLIENTENCODING or a setting of the role would garble them.
        "client_encoding": "UTF8",
        "application_name": session.application_name,
    }


def _escaped(value: str) -> str:
    return re.sub(r"([ \\])", r"\\\1", value)


def _checked(
    connection: psycopg.Connection[tuple[Any, ...]],
    session: SessionSettings,
    settings: Mapping[str, str | int],
    dsn: str,
) -> ReportedSettings:
    try:
        with connection.cursor(row_factory=dict_row) as cursor:
            reported = cursor.execute(query("connect/session").encode()).fetchone()
    except psycopg.Error as error:
        raise _cannot_connect(error, dsn, session) from None
    assert reported is not None
    expected = {**settings, "backend_pid": connection.pgconn.backend_pid}
    lost = [
        f"{name} is {reported[name]}, not {value}"
        for name, value in expected.items()
        if str(reported[name]) != str(value)
    ]
    if lost:
        raise _behind_pooler(dsn, "\n".join(lost))
    if reported["session_replication_role"] != "origin":
        # Only a superuser can change it.
        raise ServerUnfit(
            f"In sessions on {shown(dsn)} session_replication_role is "
            f"{reported['session_replication_role']}: triggers and foreign keys do not run.",
            hint="Reset it where it is set: ALTER ROLE … or ALTER DATABASE … "
            "RESET session_replication_role, or PGOPTIONS.",
        )
    return reported


def _behind_pooler(dsn: str, detail: str) -> BehindPooler:
    database = shown(dsn)
    return BehindPooler(
        f"{database[0].upper()}{database[1:]} is behind a connection pooler; "
        "aigym-db requires a dedicated server session.",
        detail=detail,
        hint="Connect to PostgreSQL itself, on its own port (often 5432), and not through the pooler.",
    )


_CAUSES = (
    (
        r'invalid port number|connection option "port"|Servname not supported',
        "Correct the port: it is a number from 1 to 65535 (PGPORT, or `port` of the service).",
    ),
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
        "Correct the name of the host: it cannot be resolved.",
    ),
    (
        r"timeout expired|timed out",
        "Check the host, the port and the firewall: there is no response.",
    ),
    (
        r"too many connections for (role|database)",
        "Close its other connections, or raise its CONNECTION LIMIT: aigym-db needs two.",
    ),
    (
        r"too many (clients|connections)|53300",
        "Close other connections, or raise max_connections on the server.",
    ),
    (
        r"starting up|shutting down|recovery mode|57P03",
        "Retry in a moment: the server is not accepting connections yet.",
    ),
    (r"SSL|certificate", "Check sslmode and the certificates of both sides."),
    (r"service .* not found|service file", "Correct the name of the service, or add it to the service file."),
)


def _cannot_connect(error: psycopg.Error, dsn: str, session: SessionSettings) -> AigymError:
    message = without_secrets(str(error).strip(), dsn)
    if "unsupported startup parameter" in message:
        return _behind_pooler(dsn, message)
    text = f"{error.sqlstate} {message}"
    hint = next((hint for cause, hint in _CAUSES if re.search(f"(?i){cause}", text)), "")
    if session.role and f'"{session.role}"' in message and session.role != parameters(dsn).get("user"):
        hint = "Create the role of the session, and grant it to the user that connects."
    return CannotConnect(
        f"No connection to {shown(dsn)}.",
        detail=message or without_secrets(first_line(error), dsn),
        hint=hint or "Check the connection string, and that the server is running.",
    )
