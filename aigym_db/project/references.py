"""What a script creates, and what has to be there before it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from pglast.enums import ObjectType
from pglast.parser import ParseError, scan

from aigym_db.model.source import Place
from aigym_db.model.sql import Script, Statement
from aigym_db.project.created_objects import CreatedName, created
from aigym_db.syntax.body import body_of
from aigym_db.syntax.parse import parse_part
from aigym_db.syntax.tree import ast, walk, words

SYSTEM_SCHEMAS = ("pg_catalog", "information_schema", "pg_toast", "pg_temp")


@dataclass(frozen=True, slots=True)
class Reference:
    """A place that names an object which must exist when the statement runs."""

    to: CreatedName
    statement: Statement
    index: int
    """The character of the source where the name stands."""
    role: Literal["foreign key", "column type", "call", "mention"] = "mention"
    """`call`: the statement runs the function at once, so all its body needs is needed too."""

    @property
    def place(self) -> Place:
        return self.statement.source.place(self.index)


@dataclass(slots=True)
class References:
    """Everything one script creates and needs."""

    script: Script
    created: set[CreatedName] = field(default_factory=set)
    needed: list[Reference] = field(default_factory=list)
    bodies: dict[CreatedName, list[str]] = field(default_factory=dict)
    """The text of each function it creates, by name; several when the name is overloaded."""
    blocks: list[tuple[Statement, str]] = field(default_factory=list)
    """The text of its DO blocks, which run at once."""


def references(script: Script) -> References:
    """What a script creates and what it needs.

    Bodies of functions in SQL count, because PostgreSQL checks them when it creates the function. Those of
    other languages do not: they need nothing until they run. Raises BadSql (AIG-P005) for an SQL body that
    does not parse.
    """
    found = References(script)
    for statement in script.statements:
        found.created |= set(created(statement.tree))
        found.needed += _needed(statement)
        if isinstance(statement.tree, ast.CreateFunctionStmt):
            _add_function(found, statement)
        elif isinstance(statement.tree, ast.DoStmt):
            body = body_of(statement)
            found.blocks.append((statement, body.text if body else ""))
    return found


def names_in(body: str) -> Iterator[CreatedName]:
    """Every dotted name in the text of a function, whatever it is; strings and comments are left out."""
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


def _add_function(result: References, statement: Statement) -> None:
    body = body_of(statement)
    names = words(statement.tree.funcname)
    if len(names) == 2:
        text = body.text if body is not None else statement.text
        result.bodies.setdefault(CreatedName("function", *names), []).append(text)
    if body is None or body.language != "sql" or body.start is None:
        return
    for inner in parse_part(statement.source, body.start, body.start + len(body.text)):
        result.needed += _needed(inner, runs=False)


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


def _needed(statement: Statement, *, runs: bool = True) -> Iterator[Reference]:
    """Every name in a statement that something else must have created."""
    tree, own = statement.tree, set(created(statement.tree))
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
    """The names that one node of a tree stands for."""
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
    """The object that a constant such as `'audit.audit_log'::regclass` names."""
    value = node.val.sval if isinstance(node, ast.A_Const) and isinstance(node.val, ast.String) else ""
    found = re.match(r'("(?:[^"]|"")+"|\w+)\.("(?:[^"]|"")+"|\w+)\s*(?:\(|$)', value)
    if found:
        yield CreatedName(kind, _plain(found[1]), _plain(found[2])), None


def _in_option(node: Any) -> Iterator[tuple[CreatedName, int | None]]:
    names = words(node.arg) if isinstance(node.arg, tuple) else ()
    if node.defname == "owned_by" and len(names) == 3:
        yield CreatedName("relation", *names[:2]), None
    elif node.defname == "schemas":
        yield from ((CreatedName("schema", name), None) for name in names)
    elif node.defname == "schema" and isinstance(node.arg, ast.String):
        yield CreatedName("schema", node.arg.sval), None


def _targets(node: Any) -> Iterator[tuple[CreatedName, int | None]]:
    """What COMMENT, GRANT, ALTER … OWNER, DROP and the like are about."""
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
    """Where a name stands. Not every node says; else it is the first place that reads like the name."""
    if location is not None and location >= 0:
        return location
    words = [re.escape(word) for word in (name.schema, name.name) if word]
    pattern = r'(?<![\w."])"?' + r'"?\s*\.\s*"?'.join(words) + r"(?!\w)"
    found = re.compile(pattern, re.IGNORECASE).search(statement.source.text, statement.start, statement.end)
    return found.start() if found else statement.start
