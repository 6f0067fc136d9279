"""Where quoted parts of an SQL text end: strings, names, $$ bodies and block comments.

Our own scan and not pglast's, because reading the files of a project must not cost the import of a parser,
and because a file of any size is to be read in one go without a list of its tokens. Property tests compare
the two.
"""

from __future__ import annotations

import re
from functools import cache


def _in_a_name(last: str) -> str:
    """What is matched last goes on a name; `last` is that."""
    # Two small sets: a single one that reaches to \U0010ffff takes 2 ms to compile, each time it is written.
    return rf"(?:(?<=[A-Za-z0-9_$]{last})|(?<=[^\x00-\x7f]{last}))"


_TAG = r"(?:(?:[A-Za-z_]|[^\x00-\x7f])(?:[A-Za-z0-9_]|[^\x00-\x7f])*+)?+"
_ESCAPED = r"(?:[^'\\]++|\\.|'')*+"
_CONTINUED = r"(?:[ \t\f\v]|--[^\n]*+)*+[\n\r](?:\s++|--[^\n]*+\n)*+'"
"""From the end of a string to where it goes on: behind a line break, as in C."""
_NAME_E, _NAME_DOLLAR = _in_a_name("[eE]'"), _in_a_name("[$]")
_ESCAPES = rf"'{_ESCAPED}'(?:{_CONTINUED}{_ESCAPED}')*+"
_E_STRING = rf"'(?<=[eE]')(?!{_NAME_E}){_ESCAPES[1:]}"
_STRING = rf"'(?:(?<![eE]')|{_NAME_E})[^']*+'"
_TAGGED = rf"\${_TAG}\$"

# Every alternative begins with the very character it is about and looks back from there: then `re` reads what
# needs no thought in one go, which makes the scan ten times faster. None of them matches a part of what it is
# about, so that a scan that may go no further than to some index stops in front of what covers it.
_TOKENS = rf"""
    --[^\n]*+
  | -(?!-)
  | /(?!\*)
  | /\*(?:[^*/]++|\*(?!/)|/(?!\*))*+\*/
  | {_E_STRING}
  | {_STRING}
  | "[^"]*+"
  | \$(?:{_NAME_DOLLAR}|(?!{_TAG}\$))
"""
STATEMENT = rf"""(?: [^'"$/;\-]++ | {_TOKENS} )*+"""
"""Reads up to a semicolon, or to what takes more than a regular expression; with VERBOSE and DOTALL."""
_SCRIPT = re.compile(rf"""(?: [^'"$/\-]++ | {_TOKENS} )*+""", re.VERBOSE | re.DOTALL)
_COMMENT_EDGE = re.compile(r"/\*|\*/")


def semicolon(text: str, at: int, end: int) -> int:
    """The index of the next semicolon outside of everything quoted, from `at` on, which is outside; else
    `end`."""
    while True:
        found = _compiled(STATEMENT).match(text, at, end)
        at = found.end() if found else at
        if at >= end or text[at] == ";":
            return at
        at = min(closing(text, at), end)


def covering(text: str, at: int, index: int) -> int:
    """Where what covers `index` ends; `index` itself when it is outside of everything quoted.

    `at` is outside and before it, and `index` is where a line begins. A line comment covers nothing: our own
    markers are line comments.
    """
    while True:
        found = _SCRIPT.match(text, at, index)
        at = found.end() if found else at
        if at >= index:
            return index
        at = closing(text, at)
        if at > index:
            return at


def closing(text: str, at: int) -> int:
    """Behind the quoted thing that begins at `at`; the end of the text when it never closes."""
    first = text[at]
    if first == "/":
        return _end_of_comment(text, at)
    if first == "$":
        return _end_of_body(text, at)
    found = _compiled(_TOKENS).match(text, at)
    return found.end() if found else len(text)


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    """A pattern that few files need: each costs half a millisecond."""
    return re.compile(pattern, re.VERBOSE | re.DOTALL)


def _end_of_body(text: str, at: int) -> int:
    tag = _compiled(_TAGGED).match(text, at)
    while tag is not None:
        end = text.find(tag[0], tag.end())
        if end < 0:
            return len(text)
        at = end + len(tag[0])
        # What follows at once goes on no name, though the scan would say so of all behind a dollar sign.
        tag = _compiled(_TAGGED).match(text, at)
    if text[at : at + 2] in ("E'", "e'"):
        string = _compiled(_ESCAPES).match(text, at + 1)
        return string.end() if string else len(text)
    return at


def _end_of_comment(text: str, start: int) -> int:
    """Block comments nest in PostgreSQL."""
    depth = 0
    for found in _COMMENT_EDGE.finditer(text, start):
        depth += 1 if found[0] == "/*" else -1
        if depth == 0:
            return found.end()
    return len(text)
