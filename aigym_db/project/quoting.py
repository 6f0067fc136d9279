"""Which parts of an SQL text are quoted: strings, names, $$ bodies and block comments.

Our own scan and not pglast's, because reading the files of a project must not cost the import of a parser.
A property test compares the two.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable

_TOKEN = re.compile(
    r"""--[^\n]*
      | /\*
      | (?<![A-Za-z0-9_$\x80-\U0010ffff])[eE]'(?:[^'\\]|\\.|'')*(?:'|\Z)
      | (?:(?<![A-Za-z0-9_$\x80-\U0010ffff])[uU]&)?'(?:[^']|'')*(?:'|\Z)
      | (?:(?<![A-Za-z0-9_$\x80-\U0010ffff])[uU]&)?"(?:[^"]|"")*(?:"|\Z)
      | (?<![A-Za-z0-9_$\x80-\U0010ffff])\$(?:[A-Za-z_\x80-\U0010ffff][A-Za-z0-9_\x80-\U0010ffff]*)?\$
    """,
    re.VERBOSE | re.DOTALL,
)
_COMMENT_EDGE = re.compile(r"/\*|\*/")


def outside_quotes(text: str) -> Callable[[int], bool]:
    """Tells for an index of the text whether it is outside of everything quoted.

    A line comment counts as outside: our own markers are line comments.
    """
    starts: list[int] = []
    ends: list[int] = []
    at = 0
    while found := _TOKEN.search(text, at):
        start, at = found.span()
        if found[0].startswith("--"):
            continue
        if found[0] == "/*":
            at = _end_of_comment(text, start)
        elif found[0].startswith("$"):
            end = text.find(found[0], at)
            at = len(text) if end < 0 else end + len(found[0])
        starts.append(start)
        ends.append(at)

    def outside(index: int) -> bool:
        before = bisect_right(starts, index) - 1
        return before < 0 or index >= ends[before]

    return outside


def _end_of_comment(text: str, start: int) -> int:
    """Block comments nest in PostgreSQL."""
    depth = 0
    for found in _COMMENT_EDGE.finditer(text, start):
        depth += 1 if found[0] == "/*" else -1
        if depth == 0:
            return found.end()
    return len(text)
