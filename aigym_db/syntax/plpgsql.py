"""PL/pgSQL functions as PostgreSQL's PL/pgSQL parser reads them, and the places of their parts in the body.

The parser reports texts without places. A part is found by its text and by the word before it: a condition
follows IF, a statement follows THEN, LOOP or a semicolon.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pglast.parser import ParseError, Token, parse_plpgsql_json, parse_sql, scan
from pglast.stream import RawStream

from aigym_db.syntax.tree import ast, is_a, words

Kind = Literal["condition", "statement", "value", "assignment", "perform"]

_ERROR = 21
"""The `elog_level` of RAISE EXCEPTION."""
_NEXT = frozenset({";", "begin", "then", "else", "loop", ">>"})
"""Words before a statement."""
_PARTS: Mapping[tuple[str, str], tuple[Kind, frozenset[str]]] = {
    ("PLpgSQL_stmt_if", "cond"): ("condition", frozenset({"if"})),
    ("PLpgSQL_if_elsif", "cond"): ("condition", frozenset({"elsif", "elseif"})),
    ("PLpgSQL_stmt_while", "cond"): ("condition", frozenset({"while"})),
    ("PLpgSQL_case_when", "expr"): ("condition", frozenset({"when"})),
    ("PLpgSQL_stmt_exit", "cond"): ("condition", frozenset({"when"})),
    ("PLpgSQL_stmt_assert", "cond"): ("condition", frozenset({"assert"})),
    ("PLpgSQL_stmt_return", "expr"): ("value", frozenset({"return"})),
    ("PLpgSQL_stmt_return_next", "expr"): ("value", frozenset({"next"})),
    ("PLpgSQL_var", "default_val"): ("value", frozenset({":=", "=", "default"})),
    ("PLpgSQL_stmt_assign", "expr"): ("assignment", _NEXT),
    ("PLpgSQL_stmt_perform", "expr"): ("perform", frozenset({"perform"})),
    ("PLpgSQL_stmt_execsql", "sqlstmt"): ("statement", _NEXT),
    ("PLpgSQL_stmt_return_query", "query"): ("statement", frozenset({"query"})),
    ("PLpgSQL_stmt_fors", "query"): ("statement", frozenset({"in"})),
}
"""By node and field of the parser's result: the kind of the part, and the words that can precede it."""


@dataclass(frozen=True, slots=True)
class FunctionPart:
    """A condition, value or statement of a PL/pgSQL function, and its place in the body."""

    kind: Kind
    text: str
    """The SQL without INTO and its targets; an assignment includes its target and `:=`."""
    start: int
    end: int
    """The place in the body. That of PERFORM includes the word, that of a statement its INTO."""
    into: str = ""
    """INTO and its targets."""
    raises: Literal["", "then", "else"] = ""
    """The branch of an IF or ELSIF condition that raises an error."""


def parse_function(definition: str) -> Any:
    """Return the result of the PL/pgSQL parser for a DO, CREATE FUNCTION or CREATE PROCEDURE statement.

    The parser rejects types of other schemas than pg_catalog and public. Types of parameters and variables
    are therefore replaced if it rejects the function as it is; texts and lines of the body do not change.
    Raise ParseError if the parser rejects the function with the replaced types, too.
    """
    try:
        return json.loads(parse_plpgsql_json(definition))
    except ParseError:
        for replacement in ("text", "record"):
            try:
                return json.loads(parse_plpgsql_json(_with_type(definition, replacement)))
            except ParseError:
                continue
        raise


def function_parts(definition: str, body: str) -> Iterator[FunctionPart]:
    """Yield the conditions, values and statements of a function in PL/pgSQL, in the order of the parser.

    `definition` is its CREATE FUNCTION statement, `body` the text between the quotes. Parts that are not in
    the body as the parser reports them are left out. Raise ParseError if PL/pgSQL's parser rejects it.
    """
    yield from _BodyScan(body).parts(parse_function(definition))


def raises_error(definition: str) -> bool:
    """Return True if a PL/pgSQL function contains RAISE EXCEPTION."""
    try:
        tree = parse_function(definition)
    except ParseError:
        return False
    return any(name == "PLpgSQL_stmt_raise" and _has_raise(({name: value},)) for name, value in _fields(tree))


class _BodyScan:
    """The tokens of a body, and which of them begin a part."""

    def __init__(self, body: str) -> None:
        self._body = body
        self._tokens = _tokens(body)
        self._words = [_word(body, token) for token in self._tokens]
        self._lines = [0]
        for line in body.splitlines(keepends=True):
            self._lines.append(self._lines[-1] + len(line))
        self._used: set[int] = set()

    def parts(self, node: Any, line: int = 1) -> Iterator[FunctionPart]:
        """Yield the parts in a node of the parser's result that begins in this line, or in its children."""
        if isinstance(node, list):
            for child in node:
                yield from self.parts(child, line)
        elif isinstance(node, dict):
            for name, fields in node.items():
                if not isinstance(fields, dict):
                    yield from self.parts(fields, line)
                    continue
                start_line = fields.get("lineno", line)
                for field, child in fields.items():
                    if (name, field) in _PARTS:
                        text = child["PLpgSQL_expr"]["query"]
                        yield from self._located(*_PARTS[name, field], text, start_line, _raises(fields))
                    else:
                        yield from self.parts(child, start_line)

    def _located(
        self, kind: Kind, openers: frozenset[str], text: str, line: int, raises: Literal["", "then", "else"]
    ) -> Iterator[FunctionPart]:
        """Yield the part with this text, if it is in the body: the first that has not been found before."""
        sought = text[len("SELECT") :].lstrip() if kind == "perform" else text
        first = self._lines[min(line, len(self._lines)) - 1]
        for index in range(1, len(self._tokens)):
            start = self._tokens[index].start
            if start < first or start in self._used or self._words[index - 1] not in openers:
                continue
            end = start + len(sought)
            if not _equal(sought, self._body[start:end], blanks=kind == "statement"):
                continue
            self._used.add(start)
            if kind == "perform":
                yield FunctionPart(kind, text, self._tokens[index - 1].start, end)
            elif kind == "statement":
                end = self._end(index, end)
                yield FunctionPart(kind, text, start, end, _removed(sought, self._body[start:end]))
            else:
                yield FunctionPart(kind, text, start, end, raises=raises)
            return

    def _end(self, index: int, end: int) -> int:
        """The end of a statement, whose INTO can be after its text."""
        for position in range(index, len(self._tokens)):
            if self._tokens[position].start >= end and self._words[position] in (";", "loop"):
                return self._tokens[position - 1].end + 1
        return end


def _fields(node: Any) -> Iterator[tuple[str, Any]]:
    """Yield every field of the parser's result with its name."""
    if isinstance(node, list):
        for child in node:
            yield from _fields(child)
    elif isinstance(node, dict):
        for name, value in node.items():
            yield name, value
            yield from _fields(value)


def _raises(fields: Mapping[str, Any]) -> Literal["", "then", "else"]:
    """The branch of an IF or ELSIF that raises an error."""
    if _has_raise(fields.get("then_body") or fields.get("stmts")):
        return "then"
    otherwise = fields.get("else_body")
    if isinstance(otherwise, dict):
        otherwise = otherwise.get("PLpgSQL_if_else", otherwise).get("stmts")
    return "else" if _has_raise(otherwise) and not fields.get("elsif_list") else ""


def _has_raise(statements: Any) -> bool:
    return any(
        statement.get("PLpgSQL_stmt_raise", {}).get("elog_level") == _ERROR for statement in statements or ()
    )


def _equal(text: str, source: str, *, blanks: bool) -> bool:
    """Compare a text of the parser with the source; `blanks` stand for INTO and its targets."""
    if len(text) != len(source):
        return False
    return text == source or (
        blanks and all(left in (right, " ") for left, right in zip(text, source, strict=True))
    )


def _removed(text: str, source: str) -> str:
    """Return INTO and its targets, which the text of the parser does not contain."""
    differing = [
        index for index, character in enumerate(source) if index >= len(text) or text[index] != character
    ]
    return source[differing[0] : differing[-1] + 1].strip() if differing else ""


def _with_type(definition: str, replacement: str) -> str:
    """Return the definition with `replacement` for the types of parameters and variables of other schemas."""
    tree: Any = copy.deepcopy(parse_sql(definition)[0].stmt)
    elements = tree.args if is_a(tree, ast.DoStmt) else tree.options
    if is_a(tree, ast.CreateFunctionStmt):
        for parameter in tree.parameters or ():
            _replace_type(parameter.argType, replacement)
        if tree.returnType is not None:
            _replace_type(tree.returnType, replacement)
    for element in elements:
        if element.defname == "as":
            strings = element.arg if isinstance(element.arg, tuple) else (element.arg,)
            element.arg = (ast.String(_with_variables(strings[0].sval, replacement)), *strings[1:])
            if is_a(tree, ast.DoStmt):
                element.arg = element.arg[0]
    return RawStream()(tree)


def _replace_type(name: Any, replacement: str) -> None:
    parts = words(name.names)
    if name.pct_type or (len(parts) > 1 and parts[0] != "pg_catalog"):
        name.names, name.pct_type = (ast.String(replacement),), False


def _with_variables(body: str, replacement: str) -> str:
    """Replace types of other schemas in the declarations of a body; the lines of the body do not change."""
    tokens = _tokens(body)
    names = [_word(body, token) for token in tokens]
    edits: list[tuple[int, int, str]] = []
    declaring, first = False, 0
    for index, name in enumerate(names):
        if name in ("declare", "begin"):
            declaring, first = name == "declare", index + 1
        elif name == ";":
            first = index + 1
        elif declaring and index == first + 1 + (names[index - 1] == "constant" and index == first + 2):
            if name == "constant" or names[index + 1 : index + 2] != ["."]:
                continue
            last = index + 2
            while names[last + 1 : last + 2] == ["."]:
                last += 2
            type_of_row = names[last + 1 : last + 3] == ["%", "rowtype"]
            if names[last + 1 : last + 2] == ["%"]:
                last += 2
            edits.append(
                (tokens[index].start, tokens[last].end + 1, "record" if type_of_row else replacement)
            )
    for start, end, text in reversed(edits):
        body = body[:start] + text + "\n" * body.count("\n", start, end) + body[end:]
    return body


def _tokens(body: str) -> list[Token]:
    try:
        return [token for token in scan(body) if token.name not in ("SQL_COMMENT", "C_COMMENT")]
    except ParseError:
        return []


def _word(body: str, token: Token) -> str:
    return body[token.start : token.end + 1].lower()
