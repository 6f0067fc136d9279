"""The place of each key of a TOML text, imported once there is an error to place."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache

KeyPath = tuple[str | int, ...]

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
def places(text: str) -> Mapping[KeyPath, int]:
    """Map the path of each table, key and list item of a valid TOML text to the index where it begins."""
    return _Places(text).by_path


class _Places:
    """A reader of the structure of a valid TOML text."""

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
