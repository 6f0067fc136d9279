"""Ends of quoted items in SQL text: strings, identifiers, dollar-quoted bodies and block comments.

pglast's scanner is not used here: importing it would slow down every command that reads the files of a
project, and it returns a list of all tokens, which does not fit large files. Property tests compare both.
"""

from __future__ import annotations

import re
from functools import cache

SPACE = r"[ \t\n\r\f\v]"
"""What PostgreSQL's scanner skips between tokens. Python's `\\s` also matches U+0085, U+00A0, U+2028 and
others, which are characters of identifiers in PostgreSQL."""
BLANKS = " \t\n\r\f\v"
"""The same characters, for `str.strip`."""
LINE_COMMENT = r"--[^\n\r]*+"
WORD = r"(?:[A-Za-z_]|[^\x00-\x7f])(?:[A-Za-z0-9_$]|[^\x00-\x7f])*+"
"""An identifier or keyword without quotes."""


def _in_a_name(last: str) -> str:
    """Return a lookbehind that matches if `last`, the text just matched, continues an identifier."""
    # Two small sets: one set that reaches to \U0010ffff takes 2 ms to compile, each time it occurs.
    return rf"(?:(?<=[A-Za-z0-9_$]{last})|(?<=[^\x00-\x7f]{last}))"


_TAG = r"(?:(?:[A-Za-z_]|[^\x00-\x7f])(?:[A-Za-z0-9_]|[^\x00-\x7f])*+)?+"
_ESCAPED = r"(?:[^'\\]++|\\.|'')*+"
_CONTINUED = rf"(?:[ \t\f\v]|{LINE_COMMENT})*+[\n\r](?:{SPACE}++|{LINE_COMMENT}[\n\r])*+'"
"""The gap between two pieces of one string constant; it contains a line break."""
_NAME_E, _NAME_DOLLAR = _in_a_name("[eE]'"), _in_a_name("[$]")
_ESCAPES = rf"'{_ESCAPED}'(?:{_CONTINUED}{_ESCAPED}')*+"
_E_STRING = rf"'(?<=[eE]')(?!{_NAME_E}){_ESCAPES[1:]}"
_STRING = rf"'(?:(?<![eE]')|{_NAME_E})[^']*+'"
_TAGGED = rf"\${_TAG}\$"

# Every alternative begins with the quoting character itself and looks back from it, so that `re` skips plain
# text in one step: the scan is ten times faster. No alternative matches a part of a quoted item, so that a
# scan limited to some index stops before the item that covers the index.
_TOKENS = rf"""
    {LINE_COMMENT}
  | -(?!-)
  | /(?!\*)
  | /\*(?:[^*/]++|\*(?!/)|/(?!\*))*+\*/
  | {_E_STRING}
  | {_STRING}
  | "[^"]*+"
  | \$(?:{_NAME_DOLLAR}|(?!{_TAG}\$))
"""
STATEMENT = rf"""(?: [^'"$/;\-]++ | {_TOKENS} )*+"""
"""Matches up to a semicolon, or to a nested comment or a dollar quote; needs VERBOSE and DOTALL."""
_SCRIPT = re.compile(rf"""(?: [^'"$/\-]++ | {_TOKENS} )*+""", re.VERBOSE | re.DOTALL)
_COMMENT_EDGE = re.compile(r"/\*|\*/")


def next_semicolon(text: str, position: int, end: int) -> int:
    """Return the index of the next unquoted semicolon from `position` on, or `end`.

    `position` must be unquoted.
    """
    while True:
        plain = _compiled(STATEMENT).match(text, position, end)
        position = plain.end() if plain else position
        if position >= end or text[position] == ";":
            return position
        position = min(item_end(text, position), end)


def quoted_item_end(text: str, position: int, index: int) -> int:
    """Return the end of the quoted item that covers `index`, or `index` itself if it is unquoted.

    `position` must be unquoted and not after `index`; `index` must be the start of a line. Line comments do
    not count as quoted, because markers are line comments.
    """
    while True:
        plain = _SCRIPT.match(text, position, index)
        position = plain.end() if plain else position
        if position >= index:
            return index
        position = item_end(text, position)
        if position > index:
            return position


def item_end(text: str, position: int) -> int:
    """Return the index after the quoted item or comment that starts at `position`.

    Return the end of the text if the item is not terminated, and `position + 1` if the character starts no
    such item: the `$` of `$1`, the `/` of a division.
    """
    token = _compiled(_TOKENS).match(text, position)
    if token is not None:
        return token.end()
    if text.startswith("/*", position):
        return _end_of_comment(text, position)
    return _end_of_body(text, position) if text[position] == "$" else len(text)


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    """Compile a pattern on first use: few files need it, and compiling takes half a millisecond."""
    return re.compile(pattern, re.VERBOSE | re.DOTALL)


def _end_of_body(text: str, position: int) -> int:
    tag = _compiled(_TAGGED).match(text, position)
    while tag is not None:
        end = text.find(tag[0], tag.end())
        if end < 0:
            return len(text)
        position = end + len(tag[0])
        # A dollar quote directly after the closing tag is not part of an identifier, though a `$` precedes
        # it.
        tag = _compiled(_TAGGED).match(text, position)
    if text[position : position + 2] in ("E'", "e'"):
        string = _compiled(_ESCAPES).match(text, position + 1)
        return string.end() if string else len(text)
    return position


def _end_of_comment(text: str, start: int) -> int:
    depth = 0  # Block comments nest in PostgreSQL.
    for edge in _COMMENT_EDGE.finditer(text, start):
        depth += 1 if edge[0] == "/*" else -1
        if depth == 0:
            return edge.end()
    return len(text)
