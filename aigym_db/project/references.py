"""The objects that a script creates, and those that must exist before it runs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Literal

from pglast.enums import ObjectType
from pglast.parser import ParseError, scan

from aigym_db.model.source import Place
from aigym_db.model.sql import Script, Statement
from aigym_db.project.created_objects import CreatedName, created_names
from aigym_db.syntax.body import body_of
from aigym_db.syntax.parse import parse_part
from aigym_db.syntax.tree import ast, walk, words

SYSTEM_SCHEMAS = ("pg_catalog", "information_schema", "pg_toast", "pg_temp")


@dataclass(frozen=True, slots=True)
class Reference:
    """One occurrence of the name of an object that must exist when the statement runs."""

    to: CreatedName
    statement: Statement
    index: int
    """The character index of the name in the source."""
    role: Literal["foreign key", "column type", "call", "mention"] = "mention"
    """`call`: the statement executes the function, so the objects in its body are required too."""

    @property
    def place(self) -> Place:
        """The place of the name in the file or template."""
        return self.statement.source.place(self.index)


@dataclass(frozen=True, slots=True)
class References:
    """The objects that one script creates and requires."""

    script: Script
    created: frozenset[CreatedName]
    required: tuple[Reference, ...]
    bodies: Mapping[CreatedName, Sequence[str]]
    """The bodies of the functions it creates, by name; several if the name is overloaded."""
    blocks: tuple[tuple[Statement, str], ...]
    """Its DO statements, each with its body."""


def references(script: Script) -> References:
    """Return the objects that a script creates and requires.

    Bodies of functions in SQL count, because PostgreSQL checks them when it creates the function. Those of
    other languages do not: their names are resolved at execution. Raise BadSql (AIG-P005) for an SQL body
    that does not parse.
    """
    statements = script.statements
    return References(
        script,
        created=frozenset(name for statement in statements for name in created_names(statement.tree)),
        required=tuple(
            reference
            for statement in statements
            for reference in chain(_required(statement), _required_by_body(statement))
        ),
        bodies=_function_bodies(statements),
        blocks=tuple(
            (statement, body.text if (body := body_of(statement)) else "")
            for statement in statements
            if isinstance(statement.tree, ast.DoStmt)
        ),
    )


def qualified_names(body: str) -> Iterator[CreatedName]:
    """Yield every name `schema.name` in the text of a function body, except in strings and comments.

    A name before a parenthesis is that of a function, any other that of a relation.
    """
    try:
        tokens = scan(body)
    except ParseError:
        return
    words = [body[token.start : token.end + 1] for token in tokens] + [""]
    for number in range(len(tokens) - 2):
        if words[number + 1] == "." and (number == 0 or words[number - 1] != "."):
            called = words[number + 3] == "("
            yield CreatedName(
                "function" if called else "relation", _plain(words[number]), _plain(words[number + 2])
            )


def _plain(word: str) -> str:
    return word[1:-1].replace('""', '"') if word.startswith('"') else word.lower()


def _function_bodies(statements: Iterable[Statement]) -> dict[CreatedName, list[str]]:
    """Return the body of each qualified function; of one with BEGIN ATOMIC, the whole statement."""
    bodies: dict[CreatedName, list[str]] = {}
    for statement in statements:
        if isinstance(statement.tree, ast.CreateFunctionStmt):
            names, body = words(statement.tree.funcname), body_of(statement)
            if len(names) == 2:
                text = statement.text if body is None else body.text
                bodies.setdefault(CreatedName("function", *names), []).append(text)
    return bodies


def _required_by_body(statement: Statement) -> Iterator[Reference]:
    """Yield the references in the body of a CREATE FUNCTION in SQL; nothing for other statements."""
    body = body_of(statement) if isinstance(statement.tree, ast.CreateFunctionStmt) else None
    if body is not None and body.language == "sql" and body.start is not None:
        for inner in parse_part(statement.source, body.start, body.start + len(body.text)):
            yield from _required(inner, runs=False)


_RUNS = (ast.SelectStmt, ast.InsertStmt, ast.UpdateStmt, ast.DeleteStmt, ast.MergeStmt, ast.CallStmt)
_REGISTERED = {
    "regclass": "relation",
    "regtype": "relation",
    "regproc": "function",
    "regprocedure": "function",
}
_SEQUENCE_CALLS = ("nextval", "currval", "setval")
_TARGETS = ("object", "objects")
_NOT_IN_A_SCHEMA = {
    ObjectType.OBJECT_OPCLASS,
    ObjectType.OBJECT_OPFAMILY,
    ObjectType.OBJECT_TRANSFORM,
    ObjectType.OBJECT_CAST,
}


def _required(statement: Statement, *, runs: bool = True) -> Iterator[Reference]:
    """Yield a reference for each name in a statement that the statement does not create itself."""
    tree, own = statement.tree, set(created_names(statement.tree))
    runs = runs and isinstance(tree, (*_RUNS, ast.CreateTableAsStmt))
    if isinstance(tree, ast.DropStmt) and tree.missing_ok:
        return
    for schema in sorted({name.schema for name in own if name.kind != "schema"}):
        yield Reference(CreatedName("schema", schema), statement, statement.start)
    for node, parent, attribute in walk(tree):
        role: Any = "call" if runs and isinstance(node, ast.FuncCall) else _role(node, parent, attribute)
        for name, location in _names(node, parent, attribute):
            if name not in own and name.schema not in SYSTEM_SCHEMAS:
                yield Reference(name, statement, _index(statement, name, location), role)


def _role(node: Any, parent: Any, attribute: str) -> str:
    if isinstance(parent, ast.Constraint) and attribute == "pktable":
        return "foreign key"
    if isinstance(node, ast.TypeName) and isinstance(parent, ast.ColumnDef):
        return "column type"
    return "mention"


def _names(node: Any, parent: Any, attribute: str) -> Iterator[tuple[CreatedName, int | None]]:
    """Yield the objects that one node of a tree names, with their locations."""
    if isinstance(node, ast.RangeVar):
        if node.schemaname:
            yield CreatedName("relation", node.schemaname, node.relname), node.location
    elif isinstance(node, ast.TypeName):
        names = words(node.names or ())
        if len(names) == 2 or (len(names) == 3 and node.pct_type):
            routine = isinstance(parent, ast.DefElem) and _is_routine(parent.defname)
            yield CreatedName("function" if routine else "relation", *names[:2]), node.location
    elif isinstance(node, ast.FuncCall):
        names = words(node.funcname)
        if len(names) == 2:
            yield CreatedName("function", *names), node.location
        if names[-1] in _SEQUENCE_CALLS and node.args:
            yield from _in_string(node.args[0], "relation")
    elif isinstance(node, ast.TypeCast):
        kind = _REGISTERED.get(words(node.typeName.names)[-1])
        if kind:
            yield from _in_string(node.arg, kind)
    elif isinstance(node, ast.ObjectWithArgs):
        names = words(node.objname)
        if len(names) == 2 and names[1][0].isidentifier():
            yield CreatedName("function", *names), None
    elif isinstance(node, ast.CreateTrigStmt | ast.CreateEventTrigStmt):
        names = words(node.funcname)
        if len(names) == 2:
            yield CreatedName("function", *names), None
    elif isinstance(node, ast.DefElem):
        yield from _in_option(node)
    else:
        yield from _targets(node)


def _in_string(node: Any, kind: Any) -> Iterator[tuple[CreatedName, int | None]]:
    """Yield the object that a constant such as `'audit.audit_log'::regclass` names."""
    value = node.val.sval if isinstance(node, ast.A_Const) and isinstance(node.val, ast.String) else ""
    match = re.match(r'("(?:[^"]|"")+"|\w+)\.("(?:[^"]|"")+"|\w+)\s*(?:\(|$)', value)
    if match:
        yield CreatedName(kind, _plain(match[1]), _plain(match[2])), None


def _in_option(node: Any) -> Iterator[tuple[CreatedName, int | None]]:
    names = words(node.arg) if isinstance(node.arg, tuple) else ()
    if node.defname == "owned_by" and len(names) == 3:
        yield CreatedName("relation", *names[:2]), None
    elif node.defname == "schemas":
        yield from ((CreatedName("schema", name), None) for name in names)
    elif node.defname == "schema" and isinstance(node.arg, ast.String):
        yield CreatedName("schema", node.arg.sval), None


def _targets(node: Any) -> Iterator[tuple[CreatedName, int | None]]:
    """Yield the objects of COMMENT, GRANT, ALTER … OWNER, DROP and similar statements."""
    if isinstance(node, ast.AlterEnumStmt | ast.AlterDomainStmt):
        names = words(node.typeName)
        if len(names) == 2:
            yield CreatedName("relation", *names), None
        return
    kind = next(
        (value for value in (getattr(node, name, None) for name in _KIND_FIELDS) if value is not None), None
    )
    if kind is None or kind in _NOT_IN_A_SCHEMA:
        return
    whole_schema = getattr(node, "targtype", None) == 1
    for field_name in _TARGETS:
        target = getattr(node, field_name, None)
        for item in (target or ()) if field_name == "objects" else (target,):
            names = words(item) if isinstance(item, tuple) else ()
            if len(names) >= 2:
                yield CreatedName("relation", *names[:2]), None
            elif isinstance(item, ast.String) and (kind == ObjectType.OBJECT_SCHEMA or whole_schema):
                yield CreatedName("schema", item.sval), None


_KIND_FIELDS = ("objtype", "objectType", "removeType", "renameType")


def _is_routine(option_name: str) -> bool:
    return option_name.endswith("func") or option_name in ("procedure", "function", "restrict", "join")


def _index(statement: Statement, name: CreatedName, location: int | None) -> int:
    """Return the index of a name: the location of its node, else its first occurrence in the statement."""
    if location is not None and location >= 0:
        return location
    words = [re.escape(word) for word in (name.schema, name.name) if word]
    pattern = r'(?<![\w."])"?' + r'"?\s*\.\s*"?'.join(words) + r"(?!\w)"
    match = re.compile(pattern, re.IGNORECASE).search(statement.source.text, statement.start, statement.end)
    return match.start() if match else statement.start
