"""The data that a statement can destroy, by its text: dropped objects, affected rows, unknown effects."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from aigym_db.migrate.data_loss.address import Address, address_of
from aigym_db.migrate.data_loss.called_code import DynamicSql, block_statements, called_functions
from aigym_db.migrate.data_loss.renames import CurrentName, Renames
from aigym_db.migrate.data_loss.settings import changes_names_or_role
from aigym_db.syntax.quote import quoted

DropKind = Literal["relation", "schema", "type", "extension", "owned", "object"]


@dataclass(frozen=True, slots=True)
class DroppedObject:
    """An object that is dropped, with CASCADE together with everything that depends on it."""

    kind: DropKind
    name: CurrentName
    """Its current name."""
    column: str | None = None
    cascade: bool = False
    dropped_with: str = ""
    """The name to report for a table or column that is dropped because it depends on this object."""
    missing_ok: bool = False
    """True if the statement contains IF EXISTS."""
    address: Address | None = None
    """The catalog address, for the kind "object"."""


@dataclass(frozen=True, slots=True)
class AffectedRows:
    """Rows of a table that are deleted or changed."""

    table: CurrentName
    effect: Literal["emptied", "deleted", "overwritten", "changed"]
    from_clause: str
    """The text after FROM of a query that returns one row for each of them."""
    columns: tuple[str, ...] = ()
    """The overwritten columns, by their current names; a column that does not exist yet holds no data."""
    with_clause: str = ""
    cascade: bool = False
    fallback: str = ""
    """The text after FROM to use where `from_clause` raises an error."""


@dataclass(frozen=True, slots=True)
class UnknownEffect:
    """A statement whose effect cannot be determined before it runs."""

    description: str


@dataclass(frozen=True, slots=True)
class Call:
    """A called function; its effect is unknown unless it is a harmless function of PostgreSQL."""

    name: str


Destruction = DroppedObject | AffectedRows | UnknownEffect | Call

CURRENT_TYPE = "«type»"
"""Placeholder in `AffectedRows.from_clause` for the current type of the first of its columns."""
_FIRST_WORD = re.compile(r"(?:[\s(]|--[^\n]*\n|/\*.*?\*/)*([a-z]+)", re.IGNORECASE | re.DOTALL)
_WORDS = re.compile(
    "alter|call|copy|create|declare|delete|do|drop|execute|explain|insert|merge|reassign|select|set|table|"
    "truncate|update|values|with"
)
_RUNNING = re.compile(r"\bconflict\b|\bselect\b|\w\s*\(.*\(", re.IGNORECASE | re.DOTALL)
"""Only an INSERT that matches is parsed: most rows of a file arrive in plain INSERT statements."""
_RELATIONS = ("TABLE", "VIEW", "MATVIEW", "SEQUENCE", "FOREIGN_TABLE", "INDEX")
_TYPES = ("TYPE", "DOMAIN")
_WITHOUT_CASCADE = ("TABLE", "SEQUENCE", "EXTENSION")
"""Kinds whose DROP destroys data without CASCADE too; for all others PostgreSQL raises an error while tables
or columns depend on the object."""


def may_destroy(text: str, *, inserts: bool = False) -> bool:
    """Return False if a statement's text shows that it destroys nothing; `inserts` includes every INSERT."""
    first = _FIRST_WORD.match(text)
    word = first[1].lower() if first else ""
    return _WORDS.fullmatch(word) is not None and (
        word != "insert" or inserts or _RUNNING.search(text) is not None
    )


def destructions(tree: Any, renames: Renames) -> Iterator[Destruction]:
    """Yield the data that a statement can destroy."""
    cascade = getattr(getattr(tree, "behavior", None), "name", "") == "DROP_CASCADE"
    match type(tree).__name__:
        case "DropStmt":
            yield from _drops(tree, cascade, renames)
        case "DropOwnedStmt":
            for role in tree.roles:
                if role.rolename:
                    yield DroppedObject("owned", CurrentName(None, role.rolename), None, cascade)
                else:
                    yield UnknownEffect("DROP OWNED BY the current role: the dropped objects")
        case "DropdbStmt":
            yield UnknownEffect(f"DROP DATABASE {tree.dbname}: all its data")
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
            yield UnknownEffect(f"EXECUTE {tree.name}: effects cannot be determined")
        case "VariableSetStmt" if changes_names_or_role(tree):
            yield UnknownEffect(
                f"SET {tree.name or 'all'}: changes the role or the search_path to an unknown value"
            )
        case kind if kind in _QUERIES:
            if changes_names_or_role(tree):
                yield UnknownEffect("set_config(): changes the role or the search_path to an unknown value")
            yield from _changed(tree, renames)
            yield from map(Call, dict.fromkeys(called_functions(tree)))


def _drops(tree: Any, cascade: bool, renames: Renames) -> Iterator[Destruction]:
    kind = tree.removeType.name.removeprefix("OBJECT_")
    for dropped in tree.objects if cascade or kind in _WITHOUT_CASCADE else ():
        address = address_of(kind, dropped)
        if kind in _RELATIONS:
            name = renames.relation(_qualified(dropped))
            dropped_with = "" if kind == "TABLE" else str(name)
            yield DroppedObject("relation", name, None, cascade, dropped_with, tree.missing_ok)
        elif kind in _TYPES:
            name = _qualified(dropped.names)
            yield DroppedObject("type", name, None, cascade, str(name), tree.missing_ok)
        elif kind == "SCHEMA":
            name = CurrentName(None, renames.schema(dropped.sval))
            yield DroppedObject("schema", name, None, cascade, missing_ok=tree.missing_ok)
        elif kind == "EXTENSION":
            name = CurrentName(None, dropped.sval)
            yield DroppedObject("extension", name, None, cascade, dropped.sval, tree.missing_ok)
        elif address is not None:
            name = CurrentName(address.names[-2] if len(address.names) > 1 else None, address.names[-1])
            yield DroppedObject("object", name, None, cascade, str(address), tree.missing_ok, address)


def _qualified(names: Any) -> CurrentName:
    words = [word.sval for word in names]
    return CurrentName(words[-2] if len(words) > 1 else None, words[-1])


def _altered(tree: Any, command: Any, renames: Renames) -> Iterator[Destruction]:
    name = _name(tree.relation, renames)
    if command.subtype.name == "AT_DropColumn":
        if tree.objtype.name == "OBJECT_TYPE":
            yield UnknownEffect(
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
    """Return the rows whose value differs after a cast to the new type and back to the current one."""
    from pglast.stream import RawStream

    current = renames.column(name, command.name)
    column, new_type = quoted(current), RawStream()(command.def_.typeName)
    using = RawStream()(command.def_.raw_default) if command.def_.raw_default is not None else column
    changed = f"{column} is distinct from ((({using})::{new_type})::{CURRENT_TYPE})"
    return AffectedRows(
        name,
        "changed",
        f"{name.quoted} where {changed}",
        (current,),
        fallback=f"{name.quoted} where {column} is not null",
    )


def _block(tree: Any) -> Iterator[Destruction]:
    """Yield the functions that a DO block calls; an unknown effect if its other statements destroy data."""
    try:
        statements = list(block_statements(tree))
    except DynamicSql:
        effects: list[Destruction] = [UnknownEffect("")]
    else:
        effects = [effect for statement in statements for effect in destructions(statement, Renames())]
    if all(isinstance(effect, Call) for effect in effects):
        yield from effects
    else:
        yield UnknownEffect("DO block: effects cannot be determined")


def _changed(tree: Any, renames: Renames) -> Iterator[AffectedRows | UnknownEffect]:
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
                    yield UnknownEffect(f"MERGE INTO {_name(node.relation, renames)}: the rows it changes")
            case "InsertStmt" if node.onConflictClause is not None:
                if node.onConflictClause.action.name == "ONCONFLICT_UPDATE":
                    name = _name(node.relation, renames)
                    yield UnknownEffect(f"INSERT INTO {name} … ON CONFLICT: the rows it changes")


_QUERIES = (
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
    effect: Literal["deleted", "overwritten"],
    columns: tuple[str, ...],
    renames: Renames,
) -> AffectedRows:
    """Return the rows that match an UPDATE or DELETE, each counted once in spite of joins."""
    from pglast.stream import RawStream

    name, relation = _name(node.relation, renames), node.relation
    row_name = relation.alias.aliasname if relation.alias else relation.relname
    alias = f" as {quoted(row_name)}" if row_name != name.name else ""
    from_clause = f"{'' if relation.inh else 'only '}{name.quoted}{alias}"
    condition = RawStream()(node.whereClause) if node.whereClause is not None else "true"
    if others:
        condition = (
            f"exists (select from {', '.join(RawStream()(table) for table in others)} where {condition})"
        )
    clause = f"with {RawStream()(node.withClause)}" if node.withClause is not None else ""
    return AffectedRows(name, effect, f"{from_clause} where {condition}", columns, clause)


def _name(relation: Any, renames: Renames) -> CurrentName:
    return renames.relation(CurrentName(relation.schemaname, relation.relname))
