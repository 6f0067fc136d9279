"""What pg_dump writes for psql and for a session of its own, and what a migration sends in its place.

The settings at the head of a dump are meant for the rest of it. psql leaves them in the session; a migration
has a transaction, so they become local to that. Timeouts and the encoding are the runner's own business.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from aigym_db.model.script import CopyData, Replacement
from aigym_db.syntax.split import Stretch, stretches

_SETTING = re.compile(r"SET ([a-z_]+) = ([^;]*)")
_PATH = re.compile(r"SELECT pg_catalog\.set_config\('search_path', '(.*)', false\)")
_KEY = re.compile(r"\\(?:un)?restrict [A-Za-z0-9]+[ \t]*")
_OURS = (
    "statement_timeout",
    "lock_timeout",
    "idle_in_transaction_session_timeout",
    "transaction_timeout",
)
"""All are 0 in a dump. Servers before 17 do not know the last, and pg_dump of 17 writes it for those, too."""
_LOCAL = (
    "check_function_bodies",
    "client_min_messages",
    "default_table_access_method",
    "default_tablespace",
    "default_with_oids",
    "row_security",
    "xmloption",
)


def exceptions(
    text: str, start: int, end: int, head: int | None
) -> tuple[tuple[CopyData, ...], tuple[Replacement, ...]]:
    """What `project.reading.exceptions` says of a text that may hold any.

    `head` is where pg_dump says that it wrote what follows; None when it does not.
    """
    rows: list[CopyData] = []
    instead: list[Replacement] = []
    large_object = False
    before: Stretch | None = None
    for found in stretches(text, start, end):
        if found.rows is not None:
            rows.append(found.rows)
        elif found.kind == "command" and _KEY.fullmatch(text, found.start, found.end):
            instead.append(Replacement(found.start, found.end, ""))
        elif found.kind == "statement" and head is not None and found.start > head:
            instead.extend(_instead(text, found))
            # pg_dump puts the contents of a large object into a transaction; here, there is one already.
            said = text[found.start : found.end]
            if before and said.startswith("SELECT pg_catalog.lo_open(") and _is(text, before, "BEGIN"):
                instead.append(Replacement(before.start, before.end + 1, ""))
                large_object = True
            elif large_object and said == "COMMIT":
                instead.append(Replacement(found.start, found.end + 1, ""))
                large_object = False
        before = found
    return tuple(rows), tuple(sorted(instead, key=lambda one: one.start))


def _is(text: str, found: Stretch, words: str) -> bool:
    return text[found.start : found.end] == words


def _instead(text: str, found: Stretch) -> Iterator[Replacement]:
    path = _PATH.fullmatch(text, found.start, found.end)
    if path:
        local = f"select pg_catalog.set_config('search_path', '{path[1]}', true)"
        yield Replacement(found.start, found.end, local)
    if _is(text, found, "SET SESSION AUTHORIZATION DEFAULT"):
        yield Replacement(found.start, found.end + 1, "")
    setting = _SETTING.fullmatch(text, found.start, found.end)
    if setting is None:
        return
    name, value = setting[1], setting[2]
    if (
        (name in _OURS and value == "0")
        or (name == "client_encoding" and value in ("'UTF8'", "'SQL_ASCII'"))
        or (name, value) == ("standard_conforming_strings", "on")
    ):
        yield Replacement(found.start, found.end + 1, "")
    elif name in _LOCAL:
        yield Replacement(found.start, found.end, f"set local {name} = {value}")
