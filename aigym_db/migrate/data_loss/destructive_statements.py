"""Statements that take data with them: what they say, before anybody asks a server how much that is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from aigym_db.migrate.data_loss.address import Address, address
from aigym_db.migrate.data_loss.called_code import NotReadable, called, inside
from aigym_db.migrate.data_loss.renames import CurrentName, Renames
from aigym_db.migrate.data_loss.settings import decides
from aigym_db.syntax.quote import quoted

DropKind = Literal["relation", "schema", "type", "extension", "owned", "object"]


@dataclass(frozen=True, slots=True)
class DroppedObject:
    """Objects that go, and with CASCADE all that depends on them."""

    kind: DropKind
    name: CurrentName
    """As it is called at present."""
    column: str | None = None
    cascade: bool = False
    with_: str = ""
    """The object by which others go, for those who would not look for them there."""
    missing_ok: bool = False
    """Whether it says IF EXISTS."""
    address: Address | None = None
    """How to ask for what is an "object"."""


@dataclass(frozen=True, slots=True)
class AffectedRows:
    """AffectedRows of a table that go or change."""

    table: CurrentName
    does: Literal["emptied", "deleted", "overwritten", "changed"]
    counting: str
    """The part of a query behind FROM that gives one row for each of them."""
    columns: tuple[str, ...] = ()
    """What is overwritten; nothing is lost in a column that is not there yet."""
    with_clause: str = ""
    cascade: bool = False
    otherwise: str = ""
    """The same, for what cannot be worked out by `counting`."""


@dataclass(frozen=True, slots=True)
class UnreadableCode:
    """Something that may take anything with it."""

    what: str


@dataclass(frozen=True, slots=True)
class Call:
    """A function that may take anything with it, unless it is one of PostgreSQL's own that change nothing."""

    name: str


Destruction = DroppedObject | AffectedRows | UnreadableCode | Call

OF_NOW = "«type»"
"""Stands in `AffectedRows.counting` for the type that the first of its columns has at present."""
_FIRST_WORD = re.compile(r"(?:[\s(]|--[^\n]*\n|/\*.*?\*/)*([a-z]+)", re.IGNORECASE | re.DOTALL)
_WORDS = re.compile(
    "alter|call|copy|create|declare|delete|do|drop|execute|explain|insert|merge|reassign|select|set|table|"
    "truncate|update|values|with"
)
_RUNNING = re.compile(r"\bconflict\b|\bselect\b|\w\s*\(.*\(", re.IGNORECASE | re.DOTALL)
"""What must stand in an INSERT for a look at its tree: most of the rows in a file come as one."""
_RELATIONS = ("TABLE", "VIEW", "MATVIEW", "SEQUENCE", "FOREIGN_TABLE", "INDEX")
_TYPES = ("TYPE", "DOMAIN")
_HOLDING = ("TABLE", "SEQUENCE", "EXTENSION")
"""What takes something along without CASCADE too; all else is refused then while rows hang on it."""


def may_destroy(text: str, *, inserts: bool = False) -> bool:
    """Whether a statement is worth a look at its tree; `inserts` when every INSERT is."""
    first = _FIRST_WORD.match(text)
    word = first[1].lower() if first else ""
    return _WORDS.fullmatch(word) is not None and (
        word != "insert" or inserts or _RUNNING.search(text) is not None
    )


def destructions(tree: Any, renames: Renames) -> Iterator[Destruction]:
    """What a statement takes with it."""
    cascade = getattr(getattr(tree, "behavior", None), "name", "") == "DROP_CASCADE"
    match type(tree).__name__:
        case "DropStmt":
            yield from _drops(tree, cascade, renames)
        case "DropOwnedStmt":
            for role in tree.roles:
                if role.rolename:
                    yield DroppedObject("owned", CurrentName(None, role.rolename), None, cascade)
                else:
                    yield UnreadableCode("DROP OWNED BY whoever runs it: what that is")
        case "DropdbStmt":
            yield UnreadableCode(f"DROP DATABASE {tree.dbname}: all that is in it")
        case "TruncateStmt":
            for relation in tree.relations:
                name = _name(relation, renames)
                only = "" if relation.inh else "only "
                yield AffectedRows(name, "emptied", f"{only}{name.quoted}", cascade=cascade)
        case "AlterTableStmt":
            for command in tree.cmds:
                yield from _altered(tree, command, renames)
        case "ExplainStmt":
            yield from destructions(tree.query, renames)
        case "CopyStmt" if tree.query is not None:
            yield from destructions(tree.query, renames)
        case "DoStmt":
            yield from _block(tree)
        case "CallStmt":
            yield Call(".".join(word.sval for word in tree.funccall.funcname))
        case "ExecuteStmt":
            yield UnreadableCode(f"EXECUTE {tree.name}: code that nobody can look into here")
        case "VariableSetStmt" if decides(tree):
            yield UnreadableCode(f"SET {tree.name or 'all'}: who acts and what names mean from then on")
        case kind if kind in _RUN:
            if decides(tree):
                yield UnreadableCode("set_config(): who acts and what names mean from then on")
            yield from _changed(tree, renames)
            yield from map(Call, dict.fromkeys(called(tree)))


def _drops(tree: Any, cascade: bool, renames: Renames) -> Iterator[Destruction]:
    kind = tree.removeType.name.removeprefix("OBJECT_")
    for named in tree.objects if cascade or kind in _HOLDING else ():
        found = address(kind, named)
        if kind in _RELATIONS:
            name = renames.relation(_worded(named))
            shown = "" if kind == "TABLE" else str(name)
            yield DroppedObject("relation", name, None, cascade, shown, tree.missing_ok)
        elif kind in _TYPES:
            name = _worded(named.names)
            yield DroppedObject("type", name, None, cascade, str(name), tree.missing_ok)
        elif kind == "SCHEMA":
            name = CurrentName(None, renames.schema(named.sval))
            yield DroppedObject("schema", name, None, cascade, missing_ok=tree.missing_ok)
        elif kind == "EXTENSION":
            name = CurrentName(None, named.sval)
            yield DroppedObject("extension", name, None, cascade, named.sval, tree.missing_ok)
        elif found is not None:
            name = CurrentName(found.names[-2] if len(found.names) > 1 else None, found.names[-1])
            yield DroppedObject("object", name, None, cascade, str(found), tree.missing_ok, found)


def _worded(named: Any) -> CurrentName:
    words = [word.sval for word in named]
    return CurrentName(words[-2] if len(words) > 1 else None, words[-1])


def _altered(tree: Any, command: Any, renames: Renames) -> Iterator[Destruction]:
    name = _name(tree.relation, renames)
    if command.subtype.name == "AT_DropColumn":
        if tree.objtype.name == "OBJECT_TYPE":
            yield UnreadableCode(
                f"DROP ATTRIBUTE {name}.{command.name}: its values in every column of that type"
            )
            return
        cascade = command.behavior.name == "DROP_CASCADE"
        yield DroppedObject(
            "relation", name, renames.column(name, command.name), cascade, missing_ok=tree.missing_ok
        )
    elif command.subtype.name == "AT_AlterColumnType" and tree.objtype.name == "OBJECT_TABLE":
        yield _cast(name, command, renames)


def _cast(name: CurrentName, command: Any, renames: Renames) -> AffectedRows:
    """The values that do not come back when they are cast to the new type and then to the old one."""
    from pglast.stream import RawStream

    now = renames.column(name, command.name)
    column, kind = quoted(now), RawStream()(command.def_.typeName)
    using = RawStream()(command.def_.raw_default) if command.def_.raw_default is not None else column
    # The type the column has now is asked of the server.
    changed = f"{column} is distinct from ((({using})::{kind})::{OF_NOW})"
    return AffectedRows(
        name,
        "changed",
        f"{name.quoted} where {changed}",
        (now,),
        otherwise=f"{name.quoted} where {column} is not null",
    )


def _block(tree: Any) -> Iterator[Destruction]:
    """The functions that a DO block calls, when all else in it can be seen to take nothing with it."""
    try:
        found = [one for statement in inside(tree) for one in destructions(statement, Renames())]
    except NotReadable:
        found = [UnreadableCode("")]
    if all(isinstance(one, Call) for one in found):
        yield from found
    else:
        yield UnreadableCode("a DO block: code that nobody can look into here")


def _changed(tree: Any, renames: Renames) -> Iterator[AffectedRows | UnreadableCode]:
    from aigym_db.syntax.tree import walk

    for node, _, _ in walk(tree):
        match type(node).__name__:
            case "DeleteStmt":
                yield _matched(node, node.usingClause, "deleted", (), renames)
            case "UpdateStmt":
                name = _name(node.relation, renames)
                columns = tuple(renames.column(name, target.name) for target in node.targetList)
                yield _matched(node, node.fromClause, "overwritten", columns, renames)
            case "MergeStmt":
                changing = {clause.commandType.name for clause in node.mergeWhenClauses}
                if changing & {"CMD_DELETE", "CMD_UPDATE"}:
                    yield UnreadableCode(f"MERGE into {_name(node.relation, renames)}: the rows it changes")
            case "InsertStmt" if node.onConflictClause is not None:
                if node.onConflictClause.action.name == "ONCONFLICT_UPDATE":
                    name = _name(node.relation, renames)
                    yield UnreadableCode(f"INSERT … ON CONFLICT into {name}: the rows it changes")


_RUN = (
    "DeleteStmt",
    "UpdateStmt",
    "MergeStmt",
    "InsertStmt",
    "SelectStmt",
    "CreateTableAsStmt",
    "DeclareCursorStmt",
)


def _matched(
    node: Any,
    others: Any,
    does: Literal["deleted", "overwritten"],
    columns: tuple[str, ...],
    renames: Renames,
) -> AffectedRows:
    """The rows that the condition of an UPDATE or DELETE finds, each once, however many it is joined with."""
    from pglast.stream import RawStream

    name, relation = _name(node.relation, renames), node.relation
    known_as = relation.alias.aliasname if relation.alias else relation.relname
    alias = f" as {quoted(known_as)}" if known_as != name.name else ""
    counting = f"{'' if relation.inh else 'only '}{name.quoted}{alias}"
    condition = RawStream()(node.whereClause) if node.whereClause is not None else "true"
    if others:
        condition = f"exists (select from {', '.join(RawStream()(one) for one in others)} where {condition})"
    clause = f"with {RawStream()(node.withClause)}" if node.withClause is not None else ""
    return AffectedRows(name, does, f"{counting} where {condition}", columns, clause)


def _name(relation: Any, renames: Renames) -> CurrentName:
    return renames.relation(CurrentName(relation.schemaname, relation.relname))
