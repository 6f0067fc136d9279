"""The objects that template statements create or describe, and the objects of catalog facts.

Both are represented by a Subject, so that they can be matched: names without quotes, the types of
arguments by their internal names without schema (`int4`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, NamedTuple

from aigym_db.model.catalog import Catalog, Key
from aigym_db.model.sql import Statement


class Subject(NamedTuple):
    """An object by kind and name; tables, views, sequences, types and domains share the kind `class`."""

    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class StatementTarget:
    """An object that a statement creates or describes."""

    subject: Subject
    parent: Subject | None = None
    """The table or type whose DROP also drops the subject."""
    creates: bool = False


_CLASSES = ("table", "view", "materialized view", "foreign table", "sequence", "type", "domain")
_PARTS = ("column", "constraint", "trigger", "policy", "rule")
_FUNCTIONS = ("function", "procedure", "aggregate")
_INTERNAL = {
    "bigint": "int8",
    "bit varying": "varbit",
    "boolean": "bool",
    "character": "bpchar",
    "character varying": "varchar",
    "double precision": "float8",
    "integer": "int4",
    "real": "float4",
    "smallint": "int2",
    "time with time zone": "timetz",
    "time without time zone": "time",
    "timestamp with time zone": "timestamptz",
    "timestamp without time zone": "timestamp",
}
"""By the name of a type in the catalog, its name in a parsed statement."""
_ANY_TYPE = "?"
"""An argument whose type is that of a column (`app.birds.id%type`)."""


def subject(key: Key) -> Subject:
    """Return the subject of a catalog key."""
    name = key.name.replace('"', "")
    if key.kind in _CLASSES:
        return Subject("class", name)
    if key.kind in _FUNCTIONS:
        called, _, arguments = name.removesuffix(")").partition("(")
        return _function_subject(called, [_internal(item) for item in arguments.split(",") if item])
    return Subject(key.kind, name)


def belongs_to(key: Key, catalog: Catalog) -> Subject | None:
    """Return the table, view or type whose DROP also drops the object; None if there is none."""
    name, facts = key.name.replace('"', ""), catalog.facts.get(key, {})
    if key.kind in _PARTS:
        return Subject("class", name.rpartition(".")[0])
    if key.kind == "index" and "on_table" in facts:
        return Subject("class", facts["on_table"].replace('"', ""))
    if key.kind == "sequence" and "owned_by" in facts:
        return Subject("class", facts["owned_by"].replace('"', "").rpartition(".")[0])
    return None


def matches(target: Subject, subjects: Collection[Subject]) -> bool:
    """Return True if one of the subjects is the target.

    A function written without arguments (`comment on function f`) is every function of that name.
    """
    if target in subjects:
        return True
    if target.kind != "function":
        return False
    return any(other.kind == "function" and _same_function(target.name, other.name) for other in subjects)


def _same_function(left: str, right: str) -> bool:
    (name, _, types), (other_name, _, other_types) = left.partition("("), right.partition("(")
    if name != other_name:
        return False
    if "*)" in (types, other_types):
        return True
    pairs = list(zip_longest(types.split(","), other_types.split(",")))
    return all(None not in pair and (len({*pair}) == 1 or _ANY_TYPE in pair) for pair in pairs)


def _function_subject(name: str, types: Iterable[str]) -> Subject:
    # The last comma ends the last type, so that every type is an element between commas.
    return Subject("function", f"{name}({''.join(f'{item},' for item in types)})")


def _internal(argument: str) -> str:
    """Return the internal name of a type in the catalog's signature of a function."""
    base = argument.strip()
    dimensions = "[]" if base.endswith("[]") else ""
    base = base.removesuffix("[]")
    return _INTERNAL.get(base, base.rpartition(".")[2]) + dimensions


def _type(node: Any) -> str:
    """Return the internal name of a type in a statement."""
    if node.pct_type:
        return _ANY_TYPE
    return str(node.names[-1].sval) + ("[]" if node.arrayBounds else "")


def targets(statement: Statement) -> tuple[StatementTarget, ...]:
    """Return the targets of a statement; empty if they are known only at run time (DO, SELECT, INSERT, …)."""
    tree = statement.tree
    extract = _OF.get(type(tree).__name__)
    return tuple(extract(tree)) if extract else ()


def bound_to(statement: Statement) -> frozenset[Subject]:
    """Return the tables, views and types in the signature of a function; empty for other statements."""
    from aigym_db.syntax.tree import ast, nodes, words

    subjects: set[Subject] = set()
    for node in nodes(statement.tree) if isinstance(statement.tree, ast.CreateFunctionStmt) else ():
        if isinstance(node, ast.TypeName):
            names = words(node.names)
            subjects.add(Subject("class", ".".join(names[:-1] if node.pct_type else names)))
        elif isinstance(node, ast.RangeVar):
            subjects.add(_relation(node))
    return frozenset(subjects)


def _relation(node: Any) -> Subject:
    return Subject("class", f"{node.schemaname}.{node.relname}" if node.schemaname else node.relname)


def _joined(names: Iterable[Any]) -> str:
    return ".".join(name.sval for name in names)


def _made(node: Any) -> Iterator[StatementTarget]:
    yield StatementTarget(_relation(node), creates=True)


def _part(kind: str, name: str, relation: Any, *, creates: bool = True) -> Iterator[StatementTarget]:
    table = _relation(relation)
    yield StatementTarget(Subject(kind, f"{table.name}.{name}"), table, creates)


def _named(kind: str, names: Any) -> Iterator[StatementTarget]:
    if not names:  # CREATE STATISTICS without a name: the server chooses it
        return
    yield StatementTarget(Subject(kind, names if isinstance(names, str) else _joined(names)), creates=True)


def _function(tree: Any) -> Iterator[StatementTarget]:
    types = [
        _type(parameter.argType)
        for parameter in tree.parameters or ()
        if parameter.mode.value not in ("o", "t")
    ]
    yield StatementTarget(_function_subject(_joined(tree.funcname), types), creates=True)


def _index(tree: Any) -> Iterator[StatementTarget]:
    table = _relation(tree.relation)
    name = f"{table.name.rpartition('.')[0]}.{tree.idxname or ''}"
    yield StatementTarget(Subject("index", name), table, creates=True)


def _definition(tree: Any) -> Iterator[StatementTarget]:
    kind = tree.kind.name.removeprefix("OBJECT_").lower()
    name = _joined(tree.defnames)
    if kind == "aggregate":
        types = [_type(parameter.argType) for parameter in (tree.args[0] or () if tree.args else ())]
        yield StatementTarget(_function_subject(name, types), creates=True)
    elif kind == "type":
        yield StatementTarget(Subject("class", name), creates=True)
    elif kind == "collation":
        yield StatementTarget(Subject(kind, name), creates=True)
    elif kind in ("tsconfiguration", "tsdictionary"):
        yield StatementTarget(Subject("text search " + kind.removeprefix("ts"), name), creates=True)


def _altered_table(tree: Any) -> Iterator[StatementTarget]:
    table = _relation(tree.relation)
    for command in tree.cmds:
        if command.subtype.name == "AT_AddConstraint" and command.def_.conname:
            yield StatementTarget(
                Subject("constraint", f"{table.name}.{command.def_.conname}"), table, creates=True
            )
        else:
            yield StatementTarget(table)


def _altered_function(tree: Any) -> Iterator[StatementTarget]:
    yield from _object("OBJECT_FUNCTION", tree.func)


def _commented(tree: Any) -> Iterator[StatementTarget]:
    yield from _object(tree.objtype.name, tree.object)


def _owned(tree: Any) -> Iterator[StatementTarget]:
    yield from _object(tree.objectType.name, tree.object)


def _granted(tree: Any) -> Iterator[StatementTarget]:
    if tree.targtype.name == "ACL_TARGET_OBJECT":
        for node in tree.objects:
            yield from _object(tree.objtype.name, node)


def _object(kind: str, node: Any) -> Iterator[StatementTarget]:
    kind = kind.removeprefix("OBJECT_")
    if type(node).__name__ == "RangeVar":
        yield StatementTarget(_relation(node))
    elif kind in ("FUNCTION", "PROCEDURE", "AGGREGATE", "ROUTINE"):
        name = _joined(node.objname)
        if node.args_unspecified:
            yield StatementTarget(Subject("function", f"{name}(*)"))
        else:
            yield StatementTarget(_function_subject(name, map(_type, node.objargs or ())))
    elif kind in ("TYPE", "DOMAIN"):
        yield StatementTarget(Subject("class", _joined(getattr(node, "names", node))))
    elif kind in ("TABLE", "VIEW", "MATVIEW", "FOREIGN_TABLE", "SEQUENCE"):
        yield StatementTarget(Subject("class", _joined(node)))
    elif kind in ("COLUMN", "POLICY", "TRIGGER", "RULE", "TABCONSTRAINT"):
        *table, name = (part.sval for part in node)
        whole = Subject("class", ".".join(table))
        kind = "constraint" if kind == "TABCONSTRAINT" else kind.lower()
        yield StatementTarget(Subject(kind, f"{whole.name}.{name}"), whole)
    elif kind == "DOMCONSTRAINT":
        whole = Subject("class", _joined(node[0].names))
        yield StatementTarget(Subject("constraint", f"{whole.name}.{node[1].sval}"), whole)
    elif kind in ("INDEX", "COLLATION"):
        yield StatementTarget(Subject(kind.lower(), _joined(node)))
    elif kind == "STATISTIC_EXT":
        yield StatementTarget(Subject("statistics", _joined(node)))
    elif kind in ("SCHEMA", "EXTENSION", "PUBLICATION", "EVENT_TRIGGER"):
        yield StatementTarget(Subject(kind.lower().replace("_", " "), node.sval))


def _default_privileges(tree: Any) -> Iterator[StatementTarget]:
    options = {option.defname: option.arg for option in tree.options or ()}
    objects = {
        "OBJECT_TABLE": "tables",
        "OBJECT_SEQUENCE": "sequences",
        "OBJECT_FUNCTION": "functions",
        "OBJECT_TYPE": "types",
        "OBJECT_SCHEMA": "schemas",
    }.get(tree.action.objtype.name, "?")
    for role in options.get("roles") or ():
        for place in [f" in {schema.sval}" for schema in options.get("schemas") or ()] or [""]:
            yield StatementTarget(
                Subject("default privileges", f"{role.rolename}{place} on {objects}"), creates=True
            )


_OF: dict[str, Any] = {
    "AlterDefaultPrivilegesStmt": _default_privileges,
    "AlterFunctionStmt": _altered_function,
    "AlterOwnerStmt": _owned,
    "AlterSeqStmt": lambda tree: [StatementTarget(_relation(tree.sequence))],
    "AlterTableStmt": _altered_table,
    "CommentStmt": _commented,
    "CompositeTypeStmt": lambda tree: _made(tree.typevar),
    "CreateDomainStmt": lambda tree: _named("class", tree.domainname),
    "CreateEnumStmt": lambda tree: _named("class", tree.typeName),
    "CreateEventTrigStmt": lambda tree: _named("event trigger", tree.trigname),
    "CreateExtensionStmt": lambda tree: _named("extension", tree.extname),
    "CreateForeignTableStmt": lambda tree: _made(tree.base.relation),
    "CreateFunctionStmt": _function,
    "CreatePolicyStmt": lambda tree: _part("policy", tree.policy_name, tree.table),
    "CreatePublicationStmt": lambda tree: _named("publication", tree.pubname),
    "CreateRangeStmt": lambda tree: _named("class", tree.typeName),
    "CreateSchemaStmt": lambda tree: _named("schema", tree.schemaname or tree.authrole.rolename),
    "CreateSeqStmt": lambda tree: _made(tree.sequence),
    "CreateStatsStmt": lambda tree: _named("statistics", tree.defnames),
    "CreateStmt": lambda tree: _made(tree.relation),
    "CreateTableAsStmt": lambda tree: _made(tree.into.rel),
    "CreateTrigStmt": lambda tree: _part("trigger", tree.trigname, tree.relation),
    "DefineStmt": _definition,
    "GrantStmt": _granted,
    "IndexStmt": _index,
    "RuleStmt": lambda tree: _part("rule", tree.rulename, tree.relation),
    "ViewStmt": lambda tree: _made(tree.view),
}
