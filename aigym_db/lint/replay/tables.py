"""Replay of CREATE for tables, views, indexes, schemas and types."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from pglast import ast
from pglast.enums import ConstrType, ObjectType

from aigym_db.lint.chain import Chain, Grant
from aigym_db.lint.objects import Column, Constraint, ConstraintKind, Index, Relation, RelationKind, UserType
from aigym_db.lint.step import StatementContext
from aigym_db.lint.types import type_of
from aigym_db.syntax.tree import is_a, is_on, nodes, words

CONSTRAINTS: dict[ConstrType, ConstraintKind] = {
    ConstrType.CONSTR_CHECK: "check",
    ConstrType.CONSTR_FOREIGN: "foreign key",
    ConstrType.CONSTR_PRIMARY: "primary key",
    ConstrType.CONSTR_UNIQUE: "unique",
    ConstrType.CONSTR_EXCLUSION: "exclusion",
    ConstrType.CONSTR_NOTNULL: "not null",
}
_SUFFIX = {
    "check": "check",
    "foreign key": "fkey",
    "primary key": "pkey",
    "unique": "key",
    "exclusion": "excl",
    "not null": "not_null",
}


def create_relation(chain: Chain, relation: Relation) -> None:
    """Add a relation and its default privileges to the catalog."""
    chain.relations[relation.name] = relation
    chain.policies.pop(relation.name, None)
    schema = relation.name.partition(".")[0]
    chain.grants[f"table {relation.name}"] = {
        (role, privilege): Grant(f"table {relation.name}", role, privilege, grant.spot, grant.with_option)
        for (where, kind, role, privilege), grant in chain.defaults.items()
        if kind == "table" and where in (None, schema)
    }


def with_constraint(chain: Chain, relation: Relation, node: Any, column: str | None = None) -> Relation:
    """Return a copy of a relation with the constraint of a Constraint node, and add its index to the catalog.

    `column` is the column of a column constraint.
    """
    kind = CONSTRAINTS.get(node.contype)
    if kind is None:
        return _with_identity(relation, node, column)
    columns = (column,) if column else words(node.fk_attrs if kind == "foreign key" else node.keys)
    index = chain.resolve(relation.name.partition(".")[0], node.indexname) if node.indexname else None
    if index in chain.indexes:
        columns = chain.indexes[index].columns
    name = node.conname or _free_name(relation, kind, columns)
    if kind in ("primary key", "unique", "exclusion"):
        schema = relation.name.partition(".")[0]
        chain.indexes.pop(index or "", None)
        index = f"{schema}.{name}"
        chain.indexes[index] = Index(index, relation.name, columns, kind != "exclusion")
    constraint = Constraint(
        name,
        kind,
        columns,
        validated=not node.skip_validation,
        expression=node.raw_expr,
        references=chain.key(node.pktable) if node.pktable else None,
        index=index,
    )
    known = dict(relation.columns)
    if kind == "primary key" or (kind == "not null" and constraint.validated):
        known |= {name: replace(known[name], not_null=True) for name in columns if name in known}
    return replace(relation, columns=known, constraints={**relation.constraints, name: constraint})


def _with_identity(relation: Relation, node: Any, column: str | None) -> Relation:
    """Return a relation with an identity column marked NOT NULL, which identity implies."""
    if node.contype != ConstrType.CONSTR_IDENTITY or column is None or column not in relation.columns:
        return relation
    identity = replace(relation.columns[column], not_null=True)
    return replace(relation, columns={**relation.columns, column: identity})


def with_column(chain: Chain, relation: Relation, node: Any) -> Relation:
    """Return a copy of a relation with the column of a ColumnDef node and its column constraints."""
    column = Column(node.colname, type_of(node.typeName), not_null=bool(node.is_not_null))
    if node.typeName is None:  # of a partition: the type is that of the parent's column
        column = relation.columns.get(node.colname, column)
    relation = replace(relation, columns={**relation.columns, column.name: column})
    for constraint in node.constraints or ():
        relation = with_constraint(chain, relation, constraint, node.colname)
    return relation


def _create_table(step: StatementContext) -> None:
    tree, chain = step.tree, step.chain
    temporary = tree.relation.relpersistence == "t"
    key = chain.place_for("pg_temp" if temporary else tree.relation.schemaname, tree.relation.relname)
    if tree.if_not_exists and key in chain.relations:
        return
    kind: RelationKind = "partitioned" if tree.partspec else "table"
    parts = tree.partspec.partParams if tree.partspec else ()
    relation = Relation(
        key,
        kind,
        chain.batch,
        step.spot(tree.relation),
        temporary=temporary,
        partition_key=tuple(part.name or "" for part in parts),
    )
    for parent in tree.inhRelations or ():
        parent_relation = chain.relation(chain.key(parent))
        relation = replace(relation, columns={**relation.columns, **parent_relation.columns})
        if tree.partbound is not None:
            relation = attached(chain, parent_relation, relation, tree.partbound.is_default)
    for element in tree.tableElts or ():
        if is_a(element, ast.ColumnDef):
            relation = with_column(chain, relation, element)
        elif is_a(element, ast.Constraint):
            relation = with_constraint(chain, relation, element)
        elif is_a(element, ast.TableLikeClause):
            other = chain.relation(chain.key(element.relation))
            relation = replace(relation, columns={**relation.columns, **other.columns})
    create_relation(chain, relation)


def attached(chain: Chain, parent: Relation, child: Relation, default: bool) -> Relation:
    """Return a copy of `child` as a partition of `parent`.

    If `default` is true, also record it in the catalog as the default partition of a known parent.
    """
    if default and parent.known:
        chain.relations[parent.name] = replace(parent, default_partition=child.name)
    return replace(child, parent=parent.name)


def _create_table_as(step: StatementContext) -> None:
    tree, chain = step.tree, step.chain
    target = tree.into.rel
    temporary = target.relpersistence == "t"
    key = chain.place_for("pg_temp" if temporary else target.schemaname, target.relname)
    kind: RelationKind = "materialized view" if tree.objtype == ObjectType.OBJECT_MATVIEW else "table"
    if not (tree.if_not_exists and key in chain.relations):
        sources = _relations_in(chain, tree.query) if kind == "materialized view" else frozenset()
        create_relation(
            chain, Relation(key, kind, chain.batch, step.spot(target), temporary=temporary, sources=sources)
        )


def _create_view(step: StatementContext) -> None:
    tree, chain = step.tree, step.chain
    key = chain.place_for(tree.view.schemaname, tree.view.relname)
    view = Relation(
        key,
        "view",
        chain.batch,
        step.spot(tree.view),
        sources=_relations_in(chain, tree.query),
        security_invoker=is_on(tree.options, "security_invoker"),
    )
    if key in chain.relations:
        chain.relations[key] = replace(view, owner=chain.relations[key].owner)
    else:
        create_relation(chain, view)


def _relations_in(chain: Chain, query: Any) -> frozenset[str]:
    return frozenset(chain.key(node) for node in nodes(query) if is_a(node, ast.RangeVar))


def _create_index(step: StatementContext) -> None:
    tree, chain = step.tree, step.chain
    table = chain.key(tree.relation)
    columns = tuple(part.name or "" for part in tree.indexParams or ())
    name = tree.idxname or "_".join([tree.relation.relname, *(column or "expr" for column in columns), "idx"])
    key = f"{table.partition('.')[0]}.{name}"
    chain.indexes.setdefault(key, Index(key, table, columns, bool(tree.unique)))


def _create_schema(step: StatementContext) -> None:
    chain, tree = step.chain, step.tree
    if tree.schemaname:
        chain.schemas.add(tree.schemaname)


def _create_enum(step: StatementContext) -> None:
    name = _type_name(step.chain, step.tree.typeName)
    step.chain.types[name] = UserType(name, "enum", words(step.tree.vals))
    if step.chain.transaction is not None:
        step.chain.transaction.new_types.add(name)


def _create_domain(step: StatementContext) -> None:
    tree = step.tree
    name = _type_name(step.chain, tree.domainname)
    constrained = any(
        node.contype in (ConstrType.CONSTR_CHECK, ConstrType.CONSTR_NOTNULL)
        for node in tree.constraints or ()
    )
    step.chain.types[name] = UserType(name, "domain", constrained=constrained, base=type_of(tree.typeName))


def _alter_domain(step: StatementContext) -> None:
    name = ".".join(words(step.tree.typeName))
    known = step.chain.type(name)
    if known is not None and step.tree.subtype in ("C", "O"):
        step.chain.types[known.name] = replace(known, constrained=True)


def _create_composite(step: StatementContext) -> None:
    tree = step.tree
    name = step.chain.place_for(tree.typevar.schemaname, tree.typevar.relname)
    step.chain.types[name] = UserType(name, "composite")


def _type_name(chain: Chain, names: Any) -> str:
    parts = words(names)
    return chain.place_for(parts[-2] if len(parts) > 1 else None, parts[-1])


def _free_name(relation: Relation, kind: ConstraintKind, columns: tuple[str, ...]) -> str:
    """Return the name PostgreSQL chooses for a constraint without one."""
    table = relation.name.rpartition(".")[2]
    stem = [table] if kind == "primary key" else [table, *columns]
    name = "_".join([*stem, _SUFFIX[kind]])
    free, number = name, 0
    while free in relation.constraints:
        number += 1
        free = f"{name}{number}"
    return free


def _create_foreign_table(step: StatementContext) -> None:
    target = step.tree.base.relation
    key = step.chain.place_for(target.schemaname, target.relname)
    create_relation(step.chain, Relation(key, "foreign table", step.chain.batch, step.spot(target)))


HANDLERS: dict[type, Callable[[StatementContext], None]] = {
    ast.CreateStmt: _create_table,
    ast.CreateForeignTableStmt: _create_foreign_table,
    ast.CreateTableAsStmt: _create_table_as,
    ast.ViewStmt: _create_view,
    ast.IndexStmt: _create_index,
    ast.CreateSchemaStmt: _create_schema,
    ast.CreateEnumStmt: _create_enum,
    ast.CreateDomainStmt: _create_domain,
    ast.AlterDomainStmt: _alter_domain,
    ast.CompositeTypeStmt: _create_composite,
}
