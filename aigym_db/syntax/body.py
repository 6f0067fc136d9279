"""The SQL inside DO blocks and function bodies.

Our own scan over PostgreSQL's tokens: it keeps the place of every statement, and takes bodies that use
variables where plain SQL has none. The statements of a body are those that follow `begin`, `then`, `else`,
`loop` or `;`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from pglast import ast
from pglast.parser import ParseError, Token, parse_sql, scan

from aigym_db.model.source import Source
from aigym_db.model.sql import Statement
from aigym_db.syntax.tree import is_a, option

_OPENING = {"BEGIN_P", "THEN", "ELSE", "ASCII_59"}
_OPENING_WORDS = {"loop", ">>"}
"""What opens a statement and is no token of SQL: LOOP, and the end of a label."""
_COMMENTS = {"SQL_COMMENT", "C_COMMENT"}
_VERBS = {
    "ALTER", "ANALYZE", "CLUSTER", "COMMENT", "CREATE", "DELETE_P", "DROP", "GRANT", "INSERT", "LOCK_P",
    "MERGE", "REFRESH", "REINDEX", "REVOKE", "SELECT", "SET", "TRUNCATE", "UPDATE", "VACUUM", "WITH",
    "EXECUTE",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Body:
    """The text between the quotes of a DO or CREATE FUNCTION."""

    text: str
    language: str
    start: int | None
    """Its index in the source; None when quotes in it are doubled, so that places differ."""


@dataclass(frozen=True, slots=True)
class Inner:
    """A statement found in a body."""

    kind: Literal["sql", "execute"]
    """`execute`: the text is the expression whose value plpgsql runs."""
    text: str
    start: int
    """Where the text stands in the body."""
    first: int
    """Where the statement stands: of `execute 'x'` that is before its text."""

    def within(self, body: Body, outer: Statement) -> Statement:
        """The stretch of the source it takes; the whole outer statement where places are not known."""
        if body.start is None:
            return outer
        end = body.start + self.start + len(self.text)
        return Statement(outer.source, body.start + self.first, end, None)


def body_of(statement: Statement) -> Body | None:
    """The body of a DO, CREATE FUNCTION or CREATE PROCEDURE, None when it is written as SQL (BEGIN "
    "ATOMIC) or in C."""
    tree = statement.tree
    elements = tree.args if is_a(tree, ast.DoStmt) else tree.options
    text = option(elements, "as")
    if isinstance(text, tuple):
        text = text[0] if len(text) == 1 else None
    language = option(elements, "language")
    if text is None:
        return None
    written = next(element for element in elements if element.defname == "as")
    name = language.sval.lower() if is_a(language, ast.String) else "plpgsql"
    return Body(text.sval, name, _start(statement, written, text.sval))


def inner(body: Body) -> Iterator[Inner]:
    """The statements of a body that are in plain sight, with their places in it."""
    try:
        tokens = [token for token in scan(body.text) if token.name not in _COMMENTS]
    except ParseError:
        return
    if body.language == "sql":
        yield from _separated(body.text, tokens)
    elif body.language == "plpgsql":
        yield from _started(body.text, tokens)


def statements(source: Source, body: Body, outer: Statement) -> Iterator[tuple[Statement, bool]]:
    """The statements of a body as the parser sees them, and whether their places are known.

    Of EXECUTE, the text when it is a literal.
    """
    for found in inner(body):
        text, shift, located = found.text, found.start, body.start is not None
        if found.kind == "execute":
            literal = executed(found.text)
            if literal is None:
                continue
            text, located = literal, False
        try:
            trees = parse_sql(" " * (shift + (body.start or 0)) + text if located else text)
        except ParseError:
            continue
        for raw in trees:
            place = found.within(body, outer)
            yield Statement(source, place.start, place.end, raw.stmt), located


def executed(expression: str) -> str | None:
    """The text an EXECUTE runs when it is one literal."""
    value = parsed(expression)
    return value.val.sval if is_a(value, ast.A_Const) and is_a(value.val, ast.String) else None


def parsed(expression: str) -> Any:
    """The tree of an expression, None when it is not one."""
    try:
        statement: Any = parse_sql(f"select {expression}")[0].stmt
        return statement.targetList[0].val
    except (ParseError, AttributeError, IndexError, TypeError):
        return None


def _start(statement: Statement, written: Any, text: str) -> int | None:
    source = statement.source.text
    at = written.arg_location if isinstance(written.arg_location, int) else written.location
    if not isinstance(at, int) or not 0 <= at < len(source):
        return None
    quote = source.find("$" if source[at] == "$" else "'", at) if source[at] in "$'" else -1
    if quote < 0:
        return None
    start = source.index("$", at + 1) + 1 if source[at] == "$" else at + 1
    return start if source.startswith(text, start) else None


def _separated(text: str, tokens: list[Token]) -> Iterator[Inner]:
    first: Token | None = None
    for token in tokens:
        if token.name == "ASCII_59":
            first = None
        elif first is None:
            first = token
            end = next(
                (other.start for other in tokens if other.start > token.start and other.name == "ASCII_59"),
                len(text),
            )
            yield Inner("sql", text[token.start : end].rstrip(), token.start, token.start)


def _started(text: str, tokens: list[Token]) -> Iterator[Inner]:
    at = 0
    opened = True
    while at < len(tokens):
        token = tokens[at]
        if not opened or token.name not in _VERBS:
            word = text[token.start : token.end + 1].lower()
            opened = token.name in _OPENING or word in _OPENING_WORDS
            at += 1
            continue
        end = at
        while end < len(tokens) and tokens[end].name != "ASCII_59":
            end += 1
        stop = tokens[end].start if end < len(tokens) else len(text)
        if token.name == "EXECUTE":
            yield _execute(text, tokens[at:end], stop)
        else:
            yield Inner("sql", _without_into(text, tokens[at:end], stop), token.start, token.start)
        at = end


def _execute(text: str, tokens: list[Token], stop: int) -> Inner:
    depth = 0
    for token in tokens:
        depth += {"ASCII_40": 1, "ASCII_41": -1}.get(token.name, 0)
        if depth == 0 and token.name in ("INTO", "USING"):
            stop = token.start
            break
    start = tokens[1].start if len(tokens) > 1 else stop
    return Inner("execute", text[start:stop].rstrip(), start, tokens[0].start)


def _without_into(text: str, tokens: list[Token], stop: int) -> str:
    """The statement with plpgsql's INTO and its targets blanked out, places kept."""
    start, depth = tokens[0].start, 0
    statement = text[start:stop]
    for at, token in enumerate(tokens):
        depth += {"ASCII_40": 1, "ASCII_41": -1}.get(token.name, 0)
        if depth or token.name != "INTO" or tokens[at - 1].name in ("INSERT", "MERGE"):
            continue
        last = at
        while last + 1 < len(tokens) and tokens[last + 1].name in (
            "IDENT",
            "ASCII_44",
            "ASCII_46",
            "STRICT_P",
        ):
            last += 1
        left, right = token.start - start, tokens[last].end + 1 - start
        return statement[:left] + " " * (right - left) + statement[right:]
    return statement.rstrip()
