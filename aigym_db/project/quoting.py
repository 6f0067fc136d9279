"""Which parts of an SQL text are quoted: strings, names, $$ bodies and block comments.

Our own scan and not pglast's, because reading the files of a project must not cost the import of a parser.
A property test compares the two.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable


def _not_in_a_name(before: str) -> str:
    """What is matched last does not go on a name; `before` is that."""
    # Two small sets: a single one that reaches to \U0010ffff takes 2 ms to compile, each time it is written.
    return rf"(?<![A-Za-z0-9_$]{before})(?<![^\x00-\x7f]{before})"


# Every alternative begins with the very character it is about, and looks back from there: then `re` skips all
# others in one go, which makes the scan ten times faster. An empty group stands for each letter of a prefix.
_TOKEN = re.compile(
    rf"""--[^\n]*
      | /\*
      | '(?<=[eE]'){_not_in_a_name("[eE]'")}()(?:[^'\\]++|\\.|'')*(?:'|\Z)
      | '(?<=[uU]&'){_not_in_a_name("[uU]&'")}()()[^']*(?:'|\Z)
      | '[^']*(?:'|\Z)
      | "(?<=[uU]&"){_not_in_a_name('[uU]&"')}()()[^"]*(?:"|\Z)
      | "[^"]*(?:"|\Z)
      | \${_not_in_a_name("[$]")}(?:(?:[A-Za-z_]|[^\x00-\x7f])(?:[A-Za-z0-9_]|[^\x00-\x7f])*)?\$
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
        first = text[start]
        if first == "-":
            continue
        if first == "/":
            at = _end_of_comment(text, start)
        elif first == "$":
            end = text.find(found[0], at)
            at = len(text) if end < 0 else end + len(found[0])
        if found.lastindex:
            start -= sum(part is not None for part in found.groups())
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
