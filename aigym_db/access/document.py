"""A TOML file that knows on which line each of its keys stands."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from aigym_db.errors import BadAccessMatrix
from aigym_db.model.source import Place, Source


@dataclass(frozen=True, slots=True)
class Document:
    """What a file says, and its text to point into."""

    source: Source
    values: Mapping[str, Any]

    def place(self, *keys: str) -> Place:
        """Where a key stands, or a word of a list: as much of the way to it as can be found."""
        text, places = self.source.text, _places(self.source.text)
        known = next((count for count in range(len(keys), 0, -1) if keys[:count] in places), 0)
        start = places.get(keys[:known], 0)
        end = min((index for index in places.values() if index > start), default=len(text))
        for key in keys[known:]:
            word = rf"""(?<![\w.-])(["']?){re.escape(key)}\1(?![\w.-])"""
            found = re.compile(word).search(text, start + 1, end)
            if found is None:
                break
            start = found.start()
        return self.source.place(start)

    def wrong(self, message: str, *keys: str, hint: str) -> BadAccessMatrix:
        """The refusal that points at a key."""
        return BadAccessMatrix(message, place=self.place(*keys), hint=hint)

    def only(self, table: Any, known: Collection[str], *keys: str, what: str) -> Mapping[str, Any]:
        """The table, if it is one and all its keys are known."""
        if not isinstance(table, dict):
            raise self.wrong(
                f"{what} must be a table of keys and values.",
                *keys,
                hint="Write it as `[…]` with `key = value` lines.",
            )
        for key in table:
            if key not in known:
                near = difflib.get_close_matches(key, known, 1)
                hint = f"Write `{near[0]}`." if near else f"Use one of: {', '.join(sorted(known))}."
                raise self.wrong(f"{what} has no key `{key}`.", *keys, key, hint=hint)
        return table

    def strings(self, value: Any, *keys: str, what: str) -> tuple[str, ...]:
        """The value, if it is a list of strings."""
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            raise self.wrong(
                f"{what} must be a list of strings.", *keys, hint='Write it as `["one", "two"]`.'
            )
        return tuple(value)

    def text(self, value: Any, *keys: str, what: str) -> str:
        """The value, if it is a string."""
        if not isinstance(value, str):
            raise self.wrong(f"{what} must be a string.", *keys, hint="Put it in quotation marks.")
        return value


def document(root: Path, file: str) -> Document:
    """The TOML file at a path relative to the project.

    Raises BadAccessMatrix (AIG-P012) when it is not UTF-8 or not TOML.
    """
    try:
        text = (root / file).read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise BadAccessMatrix(f"There is no file {file}.", hint=f"Create {file}.") from error
    except UnicodeDecodeError as error:
        raise BadAccessMatrix(f"{file} is not UTF-8.", hint="Save the file as UTF-8.") from error
    source = Source(file, text)
    try:
        return Document(source, tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise BadAccessMatrix(
            f"{file} is not TOML.",
            place=source.place(_index(text, str(error))),
            detail=str(error),
            hint="Mend the line.",
        ) from error


_KEY = r"""(?:[\w-]+|"[^"\n]*"|'[^'\n]*')"""
_ENTRY = re.compile(rf"[ \t]*(?P<keys>{_KEY}(?:[ \t]*\.[ \t]*{_KEY})*)[ \t]*=")
_HEADER = re.compile(rf"[ \t]*\[\[?[ \t]*(?P<keys>{_KEY}(?:[ \t]*\.[ \t]*{_KEY})*)[ \t]*\]\]?")
_QUOTED = re.compile(r"""#[^\n]*|"(?:[^"\\\n]|\\.)*"|'[^'\n]*'""")


@cache
def _places(text: str) -> Mapping[tuple[str, ...], int]:
    """The index of every header and of every key that begins a line, by its whole path."""
    found: dict[tuple[str, ...], int] = {}
    within: tuple[str, ...] = ()
    at = depth = 0
    for line in text.splitlines(keepends=True):
        header, entry = _HEADER.match(line), _ENTRY.match(line)
        match = None if depth else entry or header
        if match:
            keys = tuple(key.strip("\"'") for key in re.findall(_KEY, match["keys"]))
            within = keys if match is header else within
            path = keys if match is header else (*within, *keys)
            for count in range(1, len(path) + 1):
                found.setdefault(path[:count], at + match.start("keys"))
        if match is not header or not match:
            bare = _QUOTED.sub("", line)
            depth += sum(map(bare.count, "[{")) - sum(map(bare.count, "]}"))
        at += len(line)
    return found


def _index(text: str, message: str) -> int:
    """The character that `… (at line 3, column 5)` means; before Python 3.14 tomllib says it only so."""
    found = re.search(r"at line (\d+), column (\d+)", message)
    if found is None:
        return len(text)
    lines = text.splitlines(keepends=True)
    return sum(map(len, lines[: int(found[1]) - 1])) + int(found[2]) - 1
