"""Routines whose dependencies PostgreSQL does not record, and the objects that their bodies name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import psycopg
from pglast.parser import ParseError, scan

from aigym_db.database.migration_session import Connection
from aigym_db.database.queries import query
from aigym_db.model.catalog import Key

_WORD = re.compile(r"[^\W\d]\w*|\"(?:[^\"]|\"\")*\"")
_NAME = re.compile(r'("(?:[^"]|"")*"|[^.("]+)\.?')
_COMMENTS = ("SQL_COMMENT", "C_COMMENT")
_BEFORE_A_TABLE = ("from", "join", "into", "update", "table", "only", "using")
_RELATIONS = ("table", "view", "materialized view", "foreign table")
_ROUTINES = ("function", "procedure")


@dataclass(frozen=True, slots=True)
class Routine:
    """A function or procedure whose body PostgreSQL resolves at run time."""

    name: str
    schema: str
    plain_name: str
    language: str
    body: str
    definition: str
    arguments: list[str]
    trigger_of: list[str]
    """The tables whose triggers execute it."""


@dataclass(frozen=True, slots=True)
class _RoutineText:
    """The tokens of a body without comments; identifiers are folded as PostgreSQL folds them."""

    words: tuple[str, ...]
    strings: tuple[str, ...]

    @classmethod
    def of(cls, text: str) -> _RoutineText:
        try:
            tokens = [token for token in scan(text) if token.name not in _COMMENTS]
        except ParseError:
            return cls((), ())
        words = [text[token.start : token.end + 1] for token in tokens]
        strings = tuple(
            _inside(word) for token, word in zip(tokens, words, strict=True) if token.name == "SCONST"
        )
        return cls(tuple(_plain(word) if _WORD.fullmatch(word) else word for word in words), strings)

    def before(self, position: int, distance: int) -> str:
        return self.words[position - distance] if position >= distance else ""

    def after(self, position: int) -> str:
        return self.words[position + 1] if position + 1 < len(self.words) else ""


def routines(connection: Connection) -> tuple[Routine, ...]:
    """Return the functions and procedures of a database whose bodies have no recorded dependencies.

    Those of extensions and of system schemas are left out.
    """
    rows = connection.execute(query("verify/routines")).fetchall()
    return tuple(Routine(*row) for row in rows)


def creation_error(connection: Connection, routine: Routine) -> str | None:
    """Return PostgreSQL's message if a function in SQL cannot be created again, else None.

    The statement is rolled back. Other languages are not checked and give None.
    """
    if routine.language != "sql":
        return None
    try:
        with connection.transaction(force_rollback=True):
            connection.execute("set local check_function_bodies = on")
            connection.execute(routine.definition.encode())
    except psycopg.Error as error:
        return error.diag.message_primary
    return None


def mentions(routine: Routine, dropped: Key, remaining: Iterable[Key]) -> bool:
    """Return True if the body of a routine appears to name a dropped object, in its code or in a string.

    `remaining` are the objects that still exist: an unqualified name that can refer to one of them does not
    count.
    """
    existing = {key.name for key in remaining}
    whole = _RoutineText.of(routine.body)
    texts = [whole, *map(_RoutineText.of, whole.strings)]
    return any(_mentions(text, routine, dropped, existing) for text in texts)


def identifiers(name: str) -> tuple[str, ...]:
    """Split a catalog name such as `app."Order".id` or `app.f(int)` into identifiers without quotes."""
    return tuple(_plain(word, fold=False) for word in _NAME.findall(name.partition("(")[0]))


def _mentions(text: _RoutineText, routine: Routine, dropped: Key, existing: set[str]) -> bool:
    words = identifiers(dropped.name)
    if dropped.kind == "column" and len(words) == 3:
        return any(
            _is_column(text, position, routine, words, existing) for position in _places(text, words[2])
        )
    if dropped.kind == "constraint":
        return any(text.before(position, 1) == "constraint" for position in _places(text, words[-1]))
    if len(words) != 2:
        return False
    for position in _places(text, words[1]):
        if text.before(position, 1) == ".":
            if text.before(position, 2) == words[0]:
                return True
        elif dropped.kind in _RELATIONS:
            if text.before(position, 1) in _BEFORE_A_TABLE and not _elsewhere(words[1], existing):
                return True
        elif dropped.kind in _ROUTINES and text.after(position) == "(" and not _elsewhere(words[1], existing):
            return True
    return False


def _is_column(
    text: _RoutineText, position: int, routine: Routine, words: tuple[str, ...], existing: set[str]
) -> bool:
    schema, table, column = words
    if text.before(position, 1) == ".":
        of = text.before(position, 2)
        if of in ("new", "old"):
            return f"{schema}.{table}" in routine.trigger_of
        return of == table or of in set(_aliases(text, table))
    if column in routine.arguments or text.after(position) == "(" or _declared(text, column):
        return False
    mentioned = [
        identifiers(name)[1]
        for name in existing
        if name.endswith(f".{column}") and len(identifiers(name)) == 3
    ]
    others = any(next(_places(text, other), None) is not None for other in mentioned if other != table)
    return not others and next(_places(text, table), None) is not None


def _places(text: _RoutineText, word: str) -> Iterator[int]:
    return (position for position, token in enumerate(text.words) if token == word)


def _aliases(text: _RoutineText, table: str) -> Iterator[str]:
    for position in _places(text, table):
        after = text.words[position + 1 : position + 3]
        if after[:1] == ("as",):
            after = after[1:]
        yield from after[:1]


def _declared(text: _RoutineText, name: str) -> bool:
    """Return True if the word is a variable of the body, that is, the first word of a declaration."""
    begins = text.words.index("begin") if "begin" in text.words else 0
    return any(
        text.before(position, 1) in ("declare", ";") for position in _places(text, name) if position < begins
    )


def _elsewhere(name: str, existing: set[str]) -> bool:
    """Return True if an object in some schema has this name and may be the one the body names."""
    return any(identifiers(other)[-1] == name and len(identifiers(other)) == 2 for other in existing)


def _inside(literal: str) -> str:
    if literal.startswith("$"):
        tag = literal[: literal.index("$", 1) + 1]
        return literal[len(tag) : -len(tag)]
    return literal[literal.index("'") + 1 : -1].replace("''", "'")


def _plain(word: str, *, fold: bool = True) -> str:
    if word.startswith('"'):
        return word[1:-1].replace('""', '"')
    return word.lower() if fold else word
