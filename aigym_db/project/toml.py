"""TOML files of a project, with the place of each key."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from aigym_db.errors import AigymError, BadConfig
from aigym_db.model.source import Place, Source

Key = str | int
"""A key of a table, the index of a list item, or a string that a list contains."""


@dataclass(frozen=True, slots=True)
class ValueKind:
    """The values a key accepts."""

    accepts: Callable[[Any], bool]
    words: str
    """Completes the sentence "`key` must be …"."""
    example: str
    """A value in TOML, for the hint."""
    schema: Mapping[str, Any] = field(default_factory=dict)
    """The same as JSON Schema."""
    item: ValueKind | None = None
    """The kind of each item of a list, or of each value of a table."""
    container: type[Any] = list
    """`list` or `dict`, if there is an `item`."""

    def hint(self, key: Key) -> str:
        """Return a sentence that shows how to write the key."""
        if self.example.startswith("[["):
            return f"Begin each table with `{self.example}`."
        written = key if re.fullmatch("[A-Za-z0-9_-]+", str(key)) else json.dumps(key, ensure_ascii=False)
        return f"Write e.g. `{written} = {self.example}`."


def list_of(item: ValueKind, words: str, example: str, **schema: Any) -> ValueKind:
    """Return the kind of a list all of whose items are of a kind; `schema` completes its JSON Schema."""
    return ValueKind(
        lambda value: isinstance(value, list) and all(map(item.accepts, value)),
        words,
        example,
        {"type": "array", "items": item.schema, **schema},
        item,
    )


STRING = ValueKind(lambda value: isinstance(value, str), "a string", '"…"', {"type": "string"})
TEXT = ValueKind(
    lambda value: isinstance(value, str) and bool(value.strip()),
    "a string that is not empty",
    '"…"',
    {"type": "string", "minLength": 1},
)
BOOLEAN = ValueKind(lambda value: isinstance(value, bool), "true or false", "true", {"type": "boolean"})
STRINGS = list_of(STRING, "a list of strings", '["one", "two"]')


def integer(least: int, most: int, example: int) -> ValueKind:
    """Return the kind of the whole numbers from `least` to `most`."""

    def accepts(value: Any) -> bool:
        return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most

    schema = {"type": "integer", "minimum": least, "maximum": most}
    return ValueKind(accepts, f"a whole number from {least:,} to {most:,}", f"{example}", schema)


def choice(*words: str) -> ValueKind:
    """Return the kind of the given strings."""
    quoted = [f'"{word}"' for word in words]
    return ValueKind(
        lambda value: value in words,
        f"{', '.join(quoted[:-1])} or {quoted[-1]}",
        quoted[0],
        {"enum": [*words]},
    )


def table_of(kind: ValueKind) -> ValueKind:
    """Return the kind of a table all of whose values are of a kind."""
    return ValueKind(
        lambda value: isinstance(value, dict) and all(map(kind.accepts, value.values())),
        f"a table in which each value is {kind.words}",
        f"{{ name = {kind.example} }}",
        {"type": "object", "additionalProperties": kind.schema},
        kind,
        dict,
    )


def tables(name: str) -> ValueKind:
    """Return the kind of a list of `[[name]]` tables."""
    return ValueKind(
        lambda value: isinstance(value, list) and all(isinstance(item, dict) for item in value),
        f"a list of [[{name}]] tables",
        f"[[{name}]]",
        {"type": "array", "items": {}},
    )


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
    noun: str = "key"
    """The word for a key in messages: `setting` in a file of settings."""

    def table(self, *path: str) -> Document:
        """Return the document of one table; it is empty if the file does not have that table."""
        values: Any = self.values
        for key in path:
            values = values.get(key, {}) if isinstance(values, dict) else {}
        content = values if isinstance(values, dict) else {}
        return replace(self, values=content, within=(*self.within, *path))

    def place(self, *path: Key) -> Place:
        """Return the place of a key or list item, or of the innermost table or list that contains it."""
        from aigym_db.project.toml_places import places

        indexes = places(self.source.text)
        whole = (*self.within, *path)
        known = next((count for count in range(len(whole), 0, -1) if whole[:count] in indexes), 0)
        return self.redact(self.source.place(indexes.get(whole[:known], 0)))

    def wrong(self, message: str, *path: Key, hint: str) -> AigymError:
        """Return an error that points to a key."""
        return self.error(message, place=self.place(*path), hint=hint)

    def unknown(self, message: str, name: str, known: Collection[str], *path: Key) -> AigymError:
        """Return an error about an unknown name; its hint names the most similar known one, or all."""
        from aigym_db.model.wording import similar

        matches = similar(name, known)
        hint = f"Write `{matches[0]}`." if matches else f"Use one of: {', '.join(sorted(known))}."
        return self.wrong(message, *path, hint=hint)

    def only(self, table: Any, known: Collection[str], *path: Key, subject: str) -> Mapping[str, Any]:
        """Return `table`; raise `error` if it is not a table or has an unknown key."""
        if not isinstance(table, dict):
            raise self.wrong(
                f"{subject} must be a table.",
                *path,
                hint="Write it as `[…]` with `key = value` lines.",
            )
        for key in table:
            if key not in known:
                raise self.unknown(f"{subject} has no {self.noun} `{key}`.", key, known, *path, key)
        return table

    def checked(
        self, table: Any, kinds: Mapping[str, ValueKind], *path: Key, subject: str
    ) -> Mapping[str, Any]:
        """Return `table`; raise `error` if it has an unknown key, or a value not of its key's kind."""
        for key, value in self.only(table, kinds, *path, subject=subject).items():
            if not kinds[key].accepts(value):
                raise self._invalid(kinds[key], value, *path, key)
        return dict(table)

    def _invalid(self, kind: ValueKind, value: Any, *path: Key) -> AigymError:
        """Return the error of a value, which points to the first invalid item if the value has items."""
        place = path
        if kind.item is not None and isinstance(value, kind.container):
            items: Iterable[tuple[Key, Any]] = value.items() if isinstance(value, dict) else enumerate(value)
            for name, item in items:
                if kind.item.accepts(item):
                    continue
                if isinstance(value, dict):
                    return self._invalid(kind.item, item, *path, name)
                place = (*path, name)
                break
        return self.wrong(f"`{path[-1]}` must be {kind.words}.", *place, hint=kind.hint(path[-1]))

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
    noun: str = "key",
) -> Document:
    """Parse the text of a TOML file; raise `error` at the character where it is not valid."""
    try:
        return Document(source, tomllib.loads(source.text), error, redact=redact, noun=noun)
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
