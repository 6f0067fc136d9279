"""Which database is meant, and how to say so without its password."""

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
_SECRETS = ("password", "sslpassword", "oauth_client_secret", "scram_client_key", "scram_server_key")


def resolve(dsn: str | None) -> str:
    """The connection string that counts: the one given, else `DATABASE_URL`, else `""`.

    The empty string is libpq's own default: `PG*` variables and service files. A driver in the URL's scheme,
    as SQLAlchemy writes it (`postgresql+psycopg://`), is left out.

    Raises BadCommandLine (AIG-P013) when libpq cannot read it; the message never quotes what may be a
    password.
    """
    text = (dsn or os.environ.get("DATABASE_URL") or "").strip()
    if not _is_utf8(text):
        raise _unreadable("It is not UTF-8.")
    if found := _URL.match(text):
        if found["scheme"] not in ("postgresql", "postgres"):
            raise _unreadable(f"`{found['scheme']}://` is not the scheme of a PostgreSQL URL.")
        _check_userinfo(found["rest"])
        text = f"postgresql://{found['rest']}"
    try:
        conninfo_to_dict(text)
    except psycopg.ProgrammingError as error:
        raise _unreadable(_unquoted(str(error).strip(), text)) from None
    return text


def parameters(dsn: str) -> dict[str, str]:
    """Everything libpq would use for this string: its own words, then the service's, then `PG*`.

    Raises BadCommandLine (AIG-P013) when a variable or the service holds what is not UTF-8.
    """
    given = {key: str(value) for key, value in conninfo_to_dict(dsn).items() if value is not None}
    with _service(given.get("service")):
        defaults = {
            option.keyword.decode(): _decoded(option)
            for option in pq.Conninfo.get_defaults()
            if option.val is not None
        }
    return {**defaults, **given}


def settled(dsn: str) -> str:
    """The same connection with everything written out that libpq would take from `PG*` and service files."""
    # The name of the service stays: only a connection says that there is none of that name.
    return make_conninfo(**parameters(dsn))


def without_service(dsn: str) -> str:
    """The same connection with what its service says written out, and the service itself left out.

    To look one up takes a change of the environment, so where several connect at once it is done before.
    Raises CannotConnect (AIG-S001) when there is none of that name, or it says nothing.
    """
    given = {key: str(value) for key, value in conninfo_to_dict(dsn).items() if value is not None}
    name = given.pop("service", None)
    if name is None:
        return dsn
    found = {key: value for key, value in parameters(dsn).items() if key != "service"}
    if found == parameters(make_conninfo(**given)):
        raise CannotConnect(
            f"There is no service {name}.",
            hint="Correct the name of the service, or add it to the service file.",
        )
    return make_conninfo(**found)


def shown(dsn: str) -> str:
    """The database in words, e.g. `database "app" on db.example.org:5432 as deploy`; never a password."""
    found = parameters(dsn)
    user = found.get("user", "")
    host = found.get("host") or found.get("hostaddr") or "the local socket"
    port = "" if host.startswith(("/", "@", "the ")) else f":{found.get('port', '5432')}"
    return f'database "{found.get("dbname") or user}" on {host}{port} as {user}'


def without_secrets(text: str, dsn: str) -> str:
    """A message of libpq or the server with every secret of this connection blotted out."""
    found = parameters(dsn)
    for secret in (found.get(name) for name in _SECRETS):
        if secret:
            text = text.replace(secret, "***")
    return text


def _is_utf8(text: str) -> bool:
    # What else an argument or a variable held, Python passes on as half a surrogate pair.
    return not any("\ud800" <= letter <= "\udfff" for letter in text)


def _decoded(option: ConninfoOption) -> str:
    try:
        return (option.val or b"").decode()
    except UnicodeDecodeError:
        name = (option.envvar or option.keyword).decode()
        raise BadCommandLine(
            f"{name}, or what a service says in its place, is not UTF-8.",
            hint="Set it to text in UTF-8, or leave it out.",
        ) from None


def _check_userinfo(rest: str) -> None:
    # libpq ends the user and password at the first @ or /. One more @ means that it was part of the password,
    # and libpq would take the end of the password for a host or a database, and name it in its message.
    stop = re.search("[@/]", rest)
    if stop and "@" in (rest[stop.end() :] if stop.group() == "@" else rest).partition("?")[0]:
        raise _unreadable("It holds an @ or a / in a place where it has to be escaped.")


def _unquoted(said: str, text: str) -> str:
    """libpq quotes what it could not read, maybe half a password: only a word it does not know is shown."""
    if said.startswith("invalid URI query parameter:"):
        return said
    if said.startswith("invalid connection option") and "password" not in text.lower():
        return said
    return re.sub(r'".*"', "…", said, flags=re.DOTALL)


def _unreadable(why: str) -> BadCommandLine:
    return BadCommandLine(
        "The connection string cannot be read.",
        detail=why,
        hint="Write postgresql://user@host:port/database; in a password %40 for @, %2F for / and %25 for %.",
    )


@contextmanager
def _service(name: str | None) -> Iterator[None]:
    """Lets libpq name a service's words among its defaults, which it does for PGSERVICE only."""
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
