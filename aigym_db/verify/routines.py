"""Functions whose text PostgreSQL does not connect with what it speaks of, and what they speak of."""

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
    """A function or procedure that is text until it runs."""

    name: str
    schema: str
    plain_name: str
    language: str
    body: str
    definition: str
    arguments: list[str]
    trigger_of: list[str]
    """The tables whose triggers run it."""


@dataclass(frozen=True, slots=True)
class _RoutineText:
    """The words and signs of a text without its comments, names as PostgreSQL reads them."""

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

    def before(self, at: int, distance: int) -> str:
        return self.words[at - distance] if at >= distance else ""

    def after(self, at: int) -> str:
        return self.words[at + 1] if at + 1 < len(self.words) else ""


def routines(connection: Connection) -> tuple[Routine, ...]:
    """Those of a database, extensions' left out."""
    rows = connection.execute(query("verify/routines")).fetchall()
    return tuple(Routine(*row) for row in rows)


def refused(connection: Connection, routine: Routine) -> str | None:
    """Why PostgreSQL would not take a function in SQL if it were made now; None when it would."""
    if routine.language != "sql":
        return None
    try:
        with connection.transaction(force_rollback=True):
            connection.execute("set local check_function_bodies = on")
            connection.execute(routine.definition.encode())
    except psycopg.Error as error:
        return error.diag.message_primary
    return None


def speaks_of(routine: Routine, gone: Key, living: Iterable[Key]) -> bool:
    """Whether the text names an object, as far as can be read off it; also in a text that it executes."""
    there = {key.name for key in living}
    whole = _RoutineText.of(routine.body)
    texts = [whole, *map(_RoutineText.of, whole.strings)]
    return any(_names(text, routine, gone, there) for text in texts)


def parts(name: str) -> tuple[str, ...]:
    """The words of a catalog's name, without quotes and arguments."""
    return tuple(_plain(word, fold=False) for word in _NAME.findall(name.partition("(")[0]))


def _names(text: _RoutineText, routine: Routine, gone: Key, there: set[str]) -> bool:
    words = parts(gone.name)
    if gone.kind == "column" and len(words) == 3:
        return any(_is_column(text, at, routine, words, there) for at in _places(text, words[2]))
    if gone.kind == "constraint":
        return any(text.before(at, 1) == "constraint" for at in _places(text, words[-1]))
    if len(words) != 2:
        return False
    for at in _places(text, words[1]):
        if text.before(at, 1) == ".":
            if text.before(at, 2) == words[0]:
                return True
        elif gone.kind in _RELATIONS:
            if text.before(at, 1) in _BEFORE_A_TABLE and not _elsewhere(words[1], there):
                return True
        elif gone.kind in _ROUTINES and text.after(at) == "(" and not _elsewhere(words[1], there):
            return True
    return False


def _is_column(
    text: _RoutineText, at: int, routine: Routine, words: tuple[str, ...], there: set[str]
) -> bool:
    schema, table, column = words
    if text.before(at, 1) == ".":
        of = text.before(at, 2)
        if of in ("new", "old"):
            return f"{schema}.{table}" in routine.trigger_of
        return of == table or of in set(_aliases(text, table))
    if column in routine.arguments or text.after(at) == "(" or _declared(text, column):
        return False
    mentioned = [parts(name)[1] for name in there if name.endswith(f".{column}") and len(parts(name)) == 3]
    others = any(next(_places(text, other), None) is not None for other in mentioned if other != table)
    return not others and next(_places(text, table), None) is not None


def _places(text: _RoutineText, word: str) -> Iterator[int]:
    return (at for at, found in enumerate(text.words) if found == word)


def _aliases(text: _RoutineText, table: str) -> Iterator[str]:
    for at in _places(text, table):
        after = text.words[at + 1 : at + 3]
        if after[:1] == ("as",):
            after = after[1:]
        yield from after[:1]


def _declared(text: _RoutineText, name: str) -> bool:
    """Whether a word is a variable of the body: it stands first in a declaration."""
    begins = text.words.index("begin") if "begin" in text.words else 0
    return any(text.before(at, 1) in ("declare", ";") for at in _places(text, name) if at < begins)


def _elsewhere(name: str, there: set[str]) -> bool:
    """Whether something of this name is there in another schema, which may be what is meant."""
    return any(parts(other)[-1] == name and len(parts(other)) == 2 for other in there)


def _inside(literal: str) -> str:
    if literal.startswith("$"):
        tag = literal[: literal.index("$", 1) + 1]
        return literal[len(tag) : -len(tag)]
    return literal[literal.index("'") + 1 : -1].replace("''", "'")


def _plain(word: str, *, fold: bool = True) -> str:
    if word.startswith('"'):
        return word[1:-1].replace('""', '"')
    return word.lower() if fold else word
