"""Bodies of functions and DO blocks: their text, their language and the statements in them.

The statements are found by a scan over PostgreSQL's tokens: those that follow `begin`, `then`, `else`, `loop`
or `;`. Unlike PL/pgSQL's parser, the scan keeps their places, and it reads bodies in which variables occur
where plain SQL has none.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from pglast import ast
from pglast.parser import ParseError, Token, parse_sql, scan

from aigym_db.model.source import Source
from aigym_db.model.sql import Statement
from aigym_db.syntax.plpgsql import parse_function
from aigym_db.syntax.tree import is_a, option

_OPENING = {"BEGIN_P", "THEN", "ELSE", "ASCII_59"}
_OPENING_WORDS = {"loop", ">>"}
"""Words before a statement that are not tokens of SQL: LOOP, and the end of a label."""
_COMMENTS = {"SQL_COMMENT", "C_COMMENT"}
_VERBS = {
    "ALTER", "ANALYZE", "CLUSTER", "COMMENT", "CREATE", "DELETE_P", "DROP", "GRANT", "INSERT", "LOCK_P",
    "MERGE", "REFRESH", "REINDEX", "REVOKE", "SELECT", "SET", "TRUNCATE", "UPDATE", "VACUUM", "WITH",
    "EXECUTE",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Body:
    """The quoted text of a DO block, CREATE FUNCTION or CREATE PROCEDURE."""

    text: str
    language: str
    start: int | None
    """Its index in the source; None if the quoted text contains escapes, so that indexes differ."""


@dataclass(frozen=True, slots=True)
class Inner:
    """A statement in a body."""

    kind: Literal["sql", "execute"]
    """`execute`: the text is the expression whose value PL/pgSQL executes."""
    text: str
    start: int
    """Index of the text in the body."""
    first: int
    """Index of the statement in the body; for `execute 'x'` it is before the text."""

    def within(self, body: Body, outer: Statement) -> Statement:
        """Return the statement as a range of the source, without a tree.

        Return `outer`, the statement that contains the body, if the body's index in the source is unknown.
        """
        if body.start is None:
            return outer
        end = body.start + self.start + len(self.text)
        return Statement(outer.source, body.start + self.first, end, None)


@dataclass(frozen=True, slots=True)
class Expression:
    """An expression or query of a PL/pgSQL function, as PostgreSQL's PL/pgSQL parser reports it."""

    kind: Literal["statement", "expression", "assignment", "executed"]
    """`executed`: the expression whose value EXECUTE, RETURN QUERY EXECUTE or OPEN … FOR EXECUTE runs."""
    text: str
    """The text in the function; an assignment includes its target and `:=`."""

    @property
    def sql(self) -> str:
        """The text as a statement: `select …` of the value unless it is a statement."""
        if self.kind == "statement":
            return self.text
        return f"select {self.assignment[1]}"

    @property
    def assignment(self) -> tuple[str, str]:
        """The two sides of an assignment: `('total :=', 'total + 1')`; the target of other text is empty."""
        target, sign, value = self.text.partition(":=")
        return (target + sign, value) if self.kind == "assignment" and value else ("", self.text)


def body_of(statement: Statement) -> Body | None:
    """Return the body of a DO, CREATE FUNCTION or CREATE PROCEDURE statement.

    Return None if it has no quoted body: BEGIN ATOMIC, RETURN, or a function in C.
    """
    code = code_of(statement.tree)
    if code is None:
        return None
    language, text, element = code
    return Body(text, language, _start(statement, element, text))


def code_of(tree: Any) -> tuple[str, str, Any] | None:
    """Return language (lower case), text and AS option of the quoted body of a statement; else None.

    `tree` is a DoStmt or CreateFunctionStmt.
    """
    elements = tree.args if is_a(tree, ast.DoStmt) else tree.options
    text, language = option(elements, "as"), option(elements, "language")
    if isinstance(text, tuple):
        text = text[0] if len(text) == 1 else None
    if text is None:
        return None
    element = next(element for element in elements if element.defname == "as")
    return language.sval.lower() if is_a(language, ast.String) else "plpgsql", text.sval, element


def inner(body: Body) -> Iterator[Inner]:
    """Yield the range of each statement in a body in SQL or PL/pgSQL, in order, without parsing it.

    For EXECUTE the range is that of its expression. Nothing is yielded for a body that PostgreSQL's scanner
    rejects, or in another language.
    """
    try:
        tokens = [token for token in scan(body.text) if token.name not in _COMMENTS]
    except ParseError:
        return
    if body.language == "sql":
        yield from _separated(body.text, tokens)
    elif body.language == "plpgsql":
        yield from _started(body.text, tokens)


def statements(source: Source, body: Body, outer: Statement) -> Iterator[tuple[Statement, bool]]:
    """Yield the parsed statements of a body, each with a flag.

    `outer` is the statement that contains the body. The flag is True if the locations in the tree are indexes
    of `source`. For EXECUTE of a literal, the literal is parsed. EXECUTE of other expressions and statements
    that do not parse are left out.
    """
    for command in inner(body):
        text, shift, located = command.text, command.start, body.start is not None
        if command.kind == "execute":
            literal = executed_literal(command.text)
            if literal is None:
                continue
            text, located = literal, False
        try:
            trees = parse_sql(" " * (shift + (body.start or 0)) + text if located else text)
        except ParseError:
            continue
        for raw in trees:
            place = command.within(body, outer)
            yield Statement(source, place.start, place.end, raw.stmt), located


def expressions(definition: str) -> Iterator[Expression]:
    """Yield the expressions and queries of a DO, CREATE FUNCTION or CREATE PROCEDURE statement in PL/pgSQL.

    Raise ParseError if PL/pgSQL's parser rejects the body.
    """
    yield from _expressions(parse_function(definition), executes=False)


def executed_literal(expression: str) -> str | None:
    """Return the statement that EXECUTE runs if its expression is a string constant, else None."""
    value = parse_expression(expression)
    return value.val.sval if is_a(value, ast.A_Const) and is_a(value.val, ast.String) else None


def parse_expression(expression: str) -> Any:
    """Return the parse tree of the text of an expression, or None if PostgreSQL rejects it."""
    try:
        statement: Any = parse_sql(f"select {expression}")[0].stmt
        return statement.targetList[0].val
    except (ParseError, AttributeError, IndexError, TypeError):
        return None


_EXPRESSION_MODE = 2
"""The `parseMode` of an expression; smaller values are statements, greater ones assignments."""


def _expressions(node: Any, *, executes: bool) -> Iterator[Expression]:
    if isinstance(node, list):
        for child in node:
            yield from _expressions(child, executes=False)
    elif isinstance(node, dict):
        dynamic = "dynquery" if "dynquery" in node else "query"
        for name, child in node.items():
            if name != "PLpgSQL_expr":
                yield from _expressions(child, executes=name == dynamic)
            else:
                mode = child.get("parseMode", 0)
                if mode < _EXPRESSION_MODE:
                    yield Expression("statement", child["query"])
                elif mode > _EXPRESSION_MODE:
                    yield Expression("assignment", child["query"])
                else:
                    yield Expression("executed" if executes else "expression", child["query"])


def _start(statement: Statement, element: Any, text: str) -> int | None:
    source = statement.source.text
    position = element.arg_location if isinstance(element.arg_location, int) else element.location
    if not isinstance(position, int) or not 0 <= position < len(source):
        return None
    quote = source.find("$" if source[position] == "$" else "'", position) if source[position] in "$'" else -1
    if quote < 0:
        return None
    start = source.index("$", position + 1) + 1 if source[position] == "$" else position + 1
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
    position = 0
    opened = True
    while position < len(tokens):
        token = tokens[position]
        if not opened or token.name not in _VERBS:
            word = text[token.start : token.end + 1].lower()
            opened = token.name in _OPENING or word in _OPENING_WORDS
            position += 1
            continue
        end = position
        while end < len(tokens) and tokens[end].name != "ASCII_59":
            end += 1
        stop = tokens[end].start if end < len(tokens) else len(text)
        if token.name == "EXECUTE":
            yield _execute(text, tokens[position:end], stop)
        else:
            yield Inner("sql", _without_into(text, tokens[position:end], stop), token.start, token.start)
        position = end


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
    """Return the statement with PL/pgSQL's INTO and its targets replaced by blanks."""
    start, depth = tokens[0].start, 0
    statement = text[start:stop]
    for position, token in enumerate(tokens):
        depth += {"ASCII_40": 1, "ASCII_41": -1}.get(token.name, 0)
        if depth or token.name != "INTO" or tokens[position - 1].name in ("INSERT", "MERGE"):
            continue
        last = position
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
