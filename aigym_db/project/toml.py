"""TOML files of a project, with the place of each key."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from aigym_db.errors import AigymError, BadConfig
from aigym_db.model.source import Place, Source
from aigym_db.model.wording import similar

Key = str | int
"""A key of a table, the index of a list item, or a string that a list contains."""


@dataclass(frozen=True, slots=True)
class ValueKind:
    """The values a key accepts."""

    accepts: Callable[[Any], bool]
    words: str
    """Completes the sentence "`key` must be …"."""
    schema: Mapping[str, Any] = field(default_factory=dict)
    """The same as JSON Schema."""


def _is_list_of(kind: type) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, list) and all(isinstance(item, kind) for item in value)


STRING = ValueKind(lambda value: isinstance(value, str), "a string", {"type": "string"})
TEXT = ValueKind(
    lambda value: isinstance(value, str) and bool(value.strip()),
    "a string that is not empty",
    {"type": "string", "minLength": 1},
)
BOOLEAN = ValueKind(lambda value: isinstance(value, bool), "true or false", {"type": "boolean"})
STRINGS = ValueKind(_is_list_of(str), "a list of strings", {"type": "array", "items": {"type": "string"}})


def integer(least: int, most: int) -> ValueKind:
    """Return the kind of the whole numbers from `least` to `most`."""

    def accepts(value: Any) -> bool:
        return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most

    schema = {"type": "integer", "minimum": least, "maximum": most}
    return ValueKind(accepts, f"a whole number from {least:,} to {most:,}", schema)


def choice(*words: str) -> ValueKind:
    """Return the kind of the given strings."""
    quoted = [f'"{word}"' for word in words]
    return ValueKind(
        lambda value: value in words, f"{', '.join(quoted[:-1])} or {quoted[-1]}", {"enum": [*words]}
    )


def table_of(kind: ValueKind) -> ValueKind:
    """Return the kind of a table all of whose values are of a kind."""
    return ValueKind(
        lambda value: isinstance(value, dict) and all(map(kind.accepts, value.values())),
        f"a table in which each value is {kind.words}",
        {"type": "object", "additionalProperties": kind.schema},
    )


def tables(name: str) -> ValueKind:
    """Return the kind of a list of `[[name]]` tables."""
    return ValueKind(_is_list_of(dict), f"a list of [[{name}]] tables", {"type": "array", "items": {}})


@dataclass(frozen=True, slots=True)
class Document:
    """The values of a TOML file, and its text for the places of errors."""

    source: Source
    values: Mapping[str, Any]
    error: type[AigymError] = BadConfig
    """The class of the errors about this file."""
    within: tuple[str, ...] = ()
    """The table of the file that `values` are the content of; empty for the whole file."""
    redact: Callable[[Place], Place] = lambda place: place
    """Applied to the place of each error, to remove secrets from its line."""

    def table(self, *path: str) -> Document:
        """Return the document of one table; it is empty if the file does not have that table."""
        values: Any = self.values
        for key in path:
            values = values.get(key, {}) if isinstance(values, dict) else {}
        content = values if isinstance(values, dict) else {}
        return replace(self, values=content, within=(*self.within, *path))

    def place(self, *path: Key) -> Place:
        """Return the place of a key or list item, or of the innermost table or list that contains it."""
        places = _places(self.source.text)
        whole = (*self.within, *path)
        known = next((count for count in range(len(whole), 0, -1) if whole[:count] in places), 0)
        return self.redact(self.source.place(places.get(whole[:known], 0)))

    def wrong(self, message: str, *path: Key, hint: str) -> AigymError:
        """Return an error that points to a key."""
        return self.error(message, place=self.place(*path), hint=hint)

    def unknown(self, message: str, name: str, known: Collection[str], *path: Key) -> AigymError:
        """Return an error about an unknown name; its hint names the most similar known one, or all."""
        matches = similar(name, known)
        hint = f"Write `{matches[0]}`." if matches else f"Use one of: {', '.join(sorted(known))}."
        return self.wrong(message, *path, hint=hint)

    def only(self, table: Any, known: Collection[str], *path: Key, subject: str) -> Mapping[str, Any]:
        """Return `table`; raise `error` if it is not a table or has an unknown key."""
        if not isinstance(table, dict):
            raise self.wrong(
                f"{subject} must be a table of keys and values.",
                *path,
                hint="Write it as `[…]` with `key = value` lines.",
            )
        for key in table:
            if key not in known:
                raise self.unknown(f"{subject} has no key `{key}`.", key, known, *path, key)
        return table

    def checked(
        self, table: Any, kinds: Mapping[str, ValueKind], *path: Key, subject: str
    ) -> Mapping[str, Any]:
        """Return `table`; raise `error` if it has an unknown key, or a value not of its key's kind."""
        for key, value in self.only(table, kinds, *path, subject=subject).items():
            if not kinds[key].accepts(value):
                words = kinds[key].words
                raise self.wrong(f"`{key}` must be {words}.", *path, key, hint=f"Give {words}.")
        return dict(table)

    def strings(self, value: Any, *path: Key, subject: str) -> tuple[str, ...]:
        """Return `value` as a tuple; raise `error` if it is not a list of strings."""
        if not STRINGS.accepts(value):
            raise self.wrong(
                f"{subject} must be a list of strings.", *path, hint='Write it as `["one", "two"]`.'
            )
        return tuple(value)

    def text(self, value: Any, *path: Key, subject: str) -> str:
        """Return `value`; raise `error` if it is not a string."""
        if not isinstance(value, str):
            raise self.wrong(f"{subject} must be a string.", *path, hint="Put it in quotation marks.")
        return value


def read_document(root: Path, file: str, error: type[AigymError] = BadConfig) -> Document:
    """Read the TOML file at a path relative to the project.

    Raise `error` if it is missing, not UTF-8 or not valid TOML.
    """
    try:
        content = (root / file).read_bytes()
    except FileNotFoundError:
        raise error(f"There is no file {file}.", hint=f"Create {file}.") from None
    return parse_document(decode(content, file, error), error)


def decode(content: bytes, file: str, error: type[AigymError] = BadConfig) -> Source:
    """Return the text of a file, without a byte order mark and with LF line ends.

    Raise `error` if it is not UTF-8.
    """
    try:
        return Source(file, content.decode("utf-8-sig").replace("\r\n", "\n"))
    except UnicodeDecodeError as undecodable:
        good = content[: undecodable.start].decode("utf-8-sig", "replace")
        raise error(
            f"{file} is not UTF-8 text.",
            place=Source(file, good).place(len(good)),
            hint="Save the file as UTF-8.",
        ) from None


def parse_document(
    source: Source,
    error: type[AigymError] = BadConfig,
    redact: Callable[[Place], Place] = lambda place: place,
) -> Document:
    """Parse the text of a TOML file; raise `error` at the character where it is not valid."""
    try:
        return Document(source, tomllib.loads(source.text), error, redact=redact)
    except tomllib.TOMLDecodeError as invalid:
        # Before Python 3.14 the position is only part of the message.
        reason, _, position = str(invalid).partition(" (at ")
        numbers = re.match(r"line (\d+), column (\d+)\)", position)
        index = len(source.text)
        if numbers:
            lines = source.text.split("\n")
            index = sum(len(line) + 1 for line in lines[: int(numbers[1]) - 1]) + int(numbers[2]) - 1
        raise error(
            f"{source.file} is not valid TOML: {reason}.",
            place=redact(source.place(index)),
            hint="Correct the line.",
        ) from None


KeyPath = tuple[Key, ...]

_TOKEN = re.compile(
    r'''[ \t]+|\#[^\n]*
    |(?P<token>\n
    |"""(?:\\.|[^\\])*?"{3,5}|\'\'\'.*?'{3,5}
    |"(?:\\.|[^"\\\n])*"|'[^'\n]*'
    |[\[\]{}=,.]
    |[^\s\[\]{}=,.#"']+)''',
    re.VERBOSE | re.DOTALL,
)


@cache
def _places(text: str) -> Mapping[KeyPath, int]:
    """Map the path of each table, key and list item of a valid TOML text to the index where it begins."""
    return _Places(text).by_path


class _Places:
    """A reader of the structure of a valid TOML text; only computed once there is an error to place."""

    def __init__(self, text: str) -> None:
        self.by_path: dict[KeyPath, int] = {}
        self._counts: dict[KeyPath, int] = {}
        """Elements so far of each `[[…]]` list."""
        self._tokens = [(match["token"], match.start()) for match in _TOKEN.finditer(text) if match["token"]]
        self._tokens.append(("", len(text)))
        self._next = 0
        table: KeyPath = ()
        while self._token:
            if self._token == "\n":
                self._next += 1
            elif self._token == "[":
                table = self._header()
            else:
                self._entry(table)

    @property
    def _token(self) -> str:
        return self._tokens[self._next][0]

    @property
    def _index(self) -> int:
        return self._tokens[self._next][1]

    def _header(self) -> KeyPath:
        """Read `[a.b]` or `[[a.b]]`; return the path of the table, with the index of each list element."""
        start, is_list = self._index, self._tokens[self._next + 1][0] == "["
        self._next += 2 if is_list else 1
        path: KeyPath = ()
        keys = list(self._keys())
        for number, (key, index) in enumerate(keys):
            path = (*path, key)
            last = number == len(keys) - 1
            self.by_path.setdefault(path, start if last else index)
            if last and is_list:
                self._counts[path] = self._counts.get(path, 0) + 1
            if path in self._counts:
                path = (*path, self._counts[path] - 1)
                self.by_path.setdefault(path, start)
        self._next += 2 if is_list else 1
        return path

    def _keys(self) -> Iterator[tuple[str, int]]:
        """Read a dotted key; yield each part and its index."""
        while True:
            yield _unquoted(self._token), self._index
            self._next += 1
            if self._token != ".":
                return
            self._next += 1

    def _entry(self, table: KeyPath) -> None:
        path = table
        for key, index in self._keys():
            path = (*path, key)
            self.by_path.setdefault(path, index)
        self._next += 1
        self._value(path)

    def _value(self, path: KeyPath) -> None:
        if self._token == "[":
            self._list(path)
        elif self._token == "{":
            self._next += 1
            while self._token != "}":
                if self._token in (",", "\n"):
                    self._next += 1
                else:
                    self._entry(path)
            self._next += 1
        else:
            while self._token not in ("", "\n", ",", "]", "}"):
                self._next += 1

    def _list(self, path: KeyPath) -> None:
        self._next += 1
        count = 0
        while self._token != "]":
            if self._token in (",", "\n"):
                self._next += 1
                continue
            self.by_path.setdefault((*path, count), self._index)
            if self._token[0] in "\"'":
                self.by_path.setdefault((*path, _unquoted(self._token)), self._index)
            self._value((*path, count))
            count += 1
        self._next += 1


def _unquoted(token: str) -> str:
    if token[0] not in "\"'":
        return token
    return str(tomllib.loads(f"key = {token}")["key"])
