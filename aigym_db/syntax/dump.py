"""Text of a pg_dump file that is not sent as written, and its replacements.

A dump sets parameters for the session that restores it. A migration runs in a transaction, so they become
local to it (SET LOCAL). Timeouts and the encoding are set by the runner and are left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from aigym_db.model.script import CopyData, Replacement
from aigym_db.syntax.split import Segment, segments

_SETTING = re.compile(r"SET ([a-z_]+) = ([^;]*)")
_PATH = re.compile(r"SELECT pg_catalog\.set_config\('search_path', '(.*)', false\)")
_KEY = re.compile(r"\\(?:un)?restrict [A-Za-z0-9]+[ \t]*")
_IGNORED = (
    "statement_timeout",
    "lock_timeout",
    "idle_in_transaction_session_timeout",
    "transaction_timeout",
)
"""All are 0 in a dump. pg_dump 17 writes the last one for older servers as well, which reject it."""
_LOCAL = (
    "check_function_bodies",
    "client_min_messages",
    "default_table_access_method",
    "default_tablespace",
    "default_with_oids",
    "row_security",
    "xmloption",
)


def copy_data_and_replacements(
    text: str, start: int, end: int, head: int | None
) -> tuple[tuple[CopyData, ...], tuple[Replacement, ...]]:
    """Return the COPY data of `text[start:end]`, and the replacements of text that is not sent as written.

    `head` is the index of pg_dump's header line, or None if the text was not written by pg_dump.
    """
    rows: list[CopyData] = []
    instead: list[Replacement] = []
    large_object = False
    previous: Segment | None = None
    for segment in segments(text, start, end):
        if segment.rows is not None:
            rows.append(segment.rows)
        elif segment.kind == "command" and _KEY.fullmatch(text, segment.start, segment.end):
            instead.append(Replacement(segment.start, segment.end, ""))
        elif segment.kind == "statement" and head is not None and segment.start > head:
            instead.extend(_replacements(text, segment))
            # pg_dump writes BEGIN and COMMIT around a large object; the migration is already a transaction.
            sql = text[segment.start : segment.end]
            if previous and sql.startswith("SELECT pg_catalog.lo_open(") and _is(text, previous, "BEGIN"):
                instead.append(Replacement(previous.start, previous.end + 1, ""))
                large_object = True
            elif large_object and sql == "COMMIT":
                instead.append(Replacement(segment.start, segment.end + 1, ""))
                large_object = False
        previous = segment
    return tuple(rows), tuple(sorted(instead, key=lambda replacement: replacement.start))


def _is(text: str, segment: Segment, sql: str) -> bool:
    return text[segment.start : segment.end] == sql


def _replacements(text: str, segment: Segment) -> Iterator[Replacement]:
    path = _PATH.fullmatch(text, segment.start, segment.end)
    if path:
        local = f"select pg_catalog.set_config('search_path', '{path[1]}', true)"
        yield Replacement(segment.start, segment.end, local)
    if _is(text, segment, "SET SESSION AUTHORIZATION DEFAULT"):
        yield Replacement(segment.start, segment.end + 1, "")
    setting = _SETTING.fullmatch(text, segment.start, segment.end)
    if setting is None:
        return
    name, value = setting[1], setting[2]
    if (
        (name in _IGNORED and value == "0")
        or (name == "client_encoding" and value in ("'UTF8'", "'SQL_ASCII'"))
        or (name, value) == ("standard_conforming_strings", "on")
    ):
        yield Replacement(segment.start, segment.end + 1, "")
    elif name in _LOCAL:
        yield Replacement(segment.start, segment.end, f"set local {name} = {value}")
