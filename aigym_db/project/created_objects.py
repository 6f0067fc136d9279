"""The names of the objects that a statement creates."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from pglast.enums import ConstrType, ObjectType

from aigym_db.syntax.tree import ast, walk, words

_RELATIONS: dict[type, str] = {
    ast.CreateStmt: "relation",
    ast.ViewStmt: "view",
    ast.CreateSeqStmt: "sequence",
    ast.CompositeTypeStmt: "typevar",
}
_NAMED: dict[type, str] = {
    ast.CreateEnumStmt: "typeName",
    ast.CreateRangeStmt: "typeName",
    ast.CreateDomainStmt: "domainname",
    ast.CreateStatsStmt: "defnames",
}
_INDEXED = {
    ConstrType.CONSTR_PRIMARY: "pkey",
    ConstrType.CONSTR_UNIQUE: "key",
    ConstrType.CONSTR_EXCLUSION: "excl",
}


@dataclass(frozen=True, slots=True, order=True)
class CreatedName:
    """The name of a database object. Types count as relations, because both share one namespace."""

    kind: Literal["schema", "relation", "function"]
    schema: str
    name: str = ""

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}" if self.name else self.schema


def created_names(tree: Any) -> Iterator[CreatedName]:
    """Yield the name of each object that a statement creates; names without a schema are left out."""
    if isinstance(tree, ast.CreateForeignTableStmt):
        tree = tree.base
    kind = type(tree)
    if kind in _RELATIONS:
        relation = getattr(tree, _RELATIONS[kind])
        if relation.schemaname:
            yield CreatedName("relation", relation.schemaname, relation.relname)
    elif kind in _NAMED:
        names = words(getattr(tree, _NAMED[kind]))
        if len(names) == 2:
            yield CreatedName("relation", *names)
    elif isinstance(tree, ast.CreateSchemaStmt):
        name = tree.schemaname or (tree.authrole.rolename if tree.authrole else None)
        if name:
            yield CreatedName("schema", name)
    elif isinstance(tree, ast.CreateTableAsStmt):
        if tree.into.rel.schemaname:
            yield CreatedName("relation", tree.into.rel.schemaname, tree.into.rel.relname)
    elif isinstance(tree, ast.CreateFunctionStmt | ast.DefineStmt):
        names = words(tree.funcname if isinstance(tree, ast.CreateFunctionStmt) else tree.defnames)
        routine = isinstance(tree, ast.CreateFunctionStmt) or tree.kind == ObjectType.OBJECT_AGGREGATE
        if len(names) == 2:
            yield CreatedName("function" if routine else "relation", *names)
    elif isinstance(tree, ast.IndexStmt) and tree.idxname and tree.relation.schemaname:
        yield CreatedName("relation", tree.relation.schemaname, tree.idxname)
    if isinstance(tree, ast.CreateStmt | ast.AlterTableStmt) and tree.relation.schemaname:
        yield from _implied(tree, tree.relation.schemaname, tree.relation.relname)


def _implied(tree: Any, schema: str, table: str) -> Iterator[CreatedName]:
    """Return the indexes and sequences that PostgreSQL creates for the constraints and columns of a table."""
    for node, parent, _ in walk(tree):
        if isinstance(node, ast.Constraint) and node.contype in _INDEXED:
            column = parent.colname if isinstance(parent, ast.ColumnDef) else "_".join(words(node.keys or ()))
            middle = "" if node.contype == ConstrType.CONSTR_PRIMARY else f"{column}_"
            yield CreatedName("relation", schema, node.conname or f"{table}_{middle}{_INDEXED[node.contype]}")
        elif isinstance(node, ast.Constraint) and node.contype == ConstrType.CONSTR_IDENTITY:
            column = parent.colname if isinstance(parent, ast.ColumnDef) else parent.name
            yield CreatedName("relation", schema, f"{table}_{column}_seq")
        elif isinstance(node, ast.ColumnDef) and node.typeName and "serial" in words(node.typeName.names)[-1]:
            yield CreatedName("relation", schema, f"{table}_{node.colname}_seq")
