"""Connection strings: resolve them, and display them without secrets."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import pq
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.pq.misc import ConninfoOption

from aigym_db.errors import BadCommandLine, CannotConnect

_URL = re.compile(
    r"^(?P<scheme>[A-Za-z][A-Za-z0-9.-]*)(?P<driver>\+[A-Za-z0-9_]+)?://(?P<rest>.*)$", re.DOTALL
)
_QUOTED_BY_LIBPQ = ('missing "=" after ',)
"""Starts of messages that quote a fixed text."""
_SECRETS = ("password", "sslpassword", "oauth_client_secret", "scram_client_key", "scram_server_key")


def resolve(dsn: str | None) -> str:
    """Return the connection string to use: the given one, else `DATABASE_URL`, else `""`.

    The empty string is libpq's own default: `PG*` variables and service files. A driver in the URL's scheme,
    as SQLAlchemy writes it (`postgresql+psycopg://`), is left out.

    Raise BadCommandLine (AIG-P013) if libpq cannot parse it, or if its port is invalid; the message never
    quotes what may be a password.
    """
    text = (dsn or os.environ.get("DATABASE_URL") or "").strip()
    if not _is_utf8(text):
        raise _unreadable("It is not UTF-8.")
    if url := _URL.match(text):
        if url["scheme"] not in ("postgresql", "postgres"):
            raise _unreadable(f"`{url['scheme']}://` is not the scheme of a PostgreSQL URL.")
        _check_userinfo(url["rest"])
        text = f"postgresql://{url['rest']}"
    try:
        given = conninfo_to_dict(text)
    except psycopg.ProgrammingError as error:
        raise _unreadable(_unquoted(str(error).strip(), text)) from None
    if not all(_is_port(port.strip()) for port in str(given.get("port") or "").split(",")):
        raise _unreadable("The port is not a number from 1 to 65535.")
    return text


def require_dsn(dsn: str) -> str:
    """Return a connection string unchanged.

    Raise BadCommandLine (AIG-P013) if it is empty: libpq would connect to the database of the environment.
    """
    if not dsn.strip():
        raise BadCommandLine(
            "The connection string is empty.",
            hint="Specify a connection string; check that the variable that contains it is set.",
        )
    return dsn


def parameters(dsn: str) -> dict[str, str]:
    """Return every parameter libpq would use: those of the string, then of the service, then `PG*`.

    Raise BadCommandLine (AIG-P013) if a variable or the service contains text that is not UTF-8.
    """
    given = {key: str(value) for key, value in conninfo_to_dict(dsn).items() if value is not None}
    with _service(given.get("service")):
        defaults = {
            option.keyword.decode(): _decoded(option)
            for option in pq.Conninfo.get_defaults()
            if option.val is not None
        }
    return {**defaults, **given}


def completed(dsn: str) -> str:
    """Return the connection string with the parameters from `PG*` and service files included."""
    # The name of the service stays: libpq reports a missing service only when it connects.
    return make_conninfo(**parameters(dsn))


def without_service(dsn: str) -> str:
    """Return the connection string with the parameters of its service in place of the service.

    The lookup changes the environment, so callers that connect from several threads do it beforehand.
    Raise CannotConnect (AIG-S001) if the service does not exist or is empty.
    """
    given = {key: str(value) for key, value in conninfo_to_dict(dsn).items() if value is not None}
    name = given.pop("service", None)
    if name is None:
        return dsn
    expanded = {key: value for key, value in parameters(dsn).items() if key != "service"}
    if expanded == parameters(make_conninfo(**given)):
        raise CannotConnect(
            f"There is no service {name}.",
            hint="Correct the name of the service, or add it to the service file.",
        )
    return make_conninfo(**expanded)


def shown(dsn: str) -> str:
    """Return a description without secrets, e.g. `database "app" on db.example.org:5432 as deploy`."""
    known = parameters(dsn)
    user = known.get("user", "")
    host = known.get("host") or known.get("hostaddr") or "the local socket"
    port = "" if host.startswith(("/", "@", "the ")) else f":{known.get('port', '5432')}"
    return f'database "{known.get("dbname") or user}" on {host}{port} as {user}'


def without_secrets(text: str, dsn: str) -> str:
    """Return a message with every secret of this connection replaced by `***`."""
    known = parameters(dsn)
    for secret in (known.get(name) for name in _SECRETS):
        if secret:
            text = text.replace(secret, "***")
    return text


def _is_port(text: str) -> bool:
    """True if libpq accepts the port; the empty one is its default."""
    return not text or (text.isascii() and text.isdigit() and 1 <= int(text) <= 65535)


def _is_utf8(text: str) -> bool:
    # Python decodes other bytes of arguments and variables as lone surrogates.
    return not any("\ud800" <= letter <= "\udfff" for letter in text)


def _decoded(option: ConninfoOption) -> str:
    try:
        return (option.val or b"").decode()
    except UnicodeDecodeError:
        name = (option.envvar or option.keyword).decode()
        raise BadCommandLine(
            f"{name}, or the service's value for it, is not UTF-8.",
            hint="Set it to text in UTF-8, or leave it out.",
        ) from None


def _check_userinfo(rest: str) -> None:
    # libpq ends the user and password at the first @ or /. Another @ means that it was part of the password:
    # libpq would read the rest of the password as a host or a database and print it in its message.
    stop = re.search("[@/]", rest)
    if stop and "@" in (rest[stop.end() :] if stop.group() == "@" else rest).partition("?")[0]:
        raise _unreadable("It holds an @ or a / in a place where it has to be escaped.")


def _unquoted(message: str, text: str) -> str:
    """Remove what libpq quotes, which may be part of a password, except the name of an unknown option."""
    if message.startswith("invalid URI query parameter:"):
        return message
    if message.startswith("invalid connection option") and "password" not in text.lower():
        return message
    prefix = next((prefix for prefix in _QUOTED_BY_LIBPQ if message.startswith(prefix)), "")
    return prefix + re.sub(r'".*"', "…", message.removeprefix(prefix), flags=re.DOTALL)


def _unreadable(why: str) -> BadCommandLine:
    return BadCommandLine(
        "The connection string cannot be read.",
        detail=why,
        hint="Write postgresql://user@host:port/database; in a password %40 for @, %2F for / and %25 for %.",
    )


@contextmanager
def _service(name: str | None) -> Iterator[None]:
    """Make libpq include the service in its defaults, which it does for PGSERVICE only."""
    if name is None:
        yield
        return
    before = os.environ.get("PGSERVICE")
    os.environ["PGSERVICE"] = name
    try:
        yield
    finally:
        if before is None:
            del os.environ["PGSERVICE"]
        else:
            os.environ["PGSERVICE"] = before
