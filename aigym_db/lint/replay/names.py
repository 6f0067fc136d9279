"""Replay of RENAME, SET SCHEMA and DROP."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from pglast import ast
from pglast.enums import ObjectType

from aigym_db.lint.chain import Chain
from aigym_db.lint.objects import Function
from aigym_db.lint.step import StatementContext, dropped
from aigym_db.lint.types import type_of
from aigym_db.syntax.tree import words

_RELATIONS = {
    ObjectType.OBJECT_TABLE,
    ObjectType.OBJECT_VIEW,
    ObjectType.OBJECT_MATVIEW,
    ObjectType.OBJECT_FOREIGN_TABLE,
}
_ROUTINES = {ObjectType.OBJECT_FUNCTION, ObjectType.OBJECT_PROCEDURE, ObjectType.OBJECT_ROUTINE}
_TYPES = {ObjectType.OBJECT_TYPE, ObjectType.OBJECT_DOMAIN}


def _rename(step: StatementContext) -> None:
    tree, chain = step.tree, step.chain
    if tree.renameType in _RELATIONS:
        key = chain.key(tree.relation)
        _move(chain, key, f"{key.partition('.')[0]}.{tree.newname}")
    elif tree.renameType == ObjectType.OBJECT_INDEX:
        index = chain.indexes.pop(chain.key(tree.relation), None)
        if index is not None:
            key = f"{index.name.partition('.')[0]}.{tree.newname}"
            chain.indexes[key] = replace(index, name=key)
    elif tree.renameType == ObjectType.OBJECT_COLUMN:
        _rename_column(chain, chain.key(tree.relation), tree.subname, tree.newname)
    elif tree.renameType == ObjectType.OBJECT_TABCONSTRAINT:
        relation = chain.relation(chain.key(tree.relation))
        constraint = relation.constraints.get(tree.subname)
        if constraint is not None:
            rest = {name: item for name, item in relation.constraints.items() if name != tree.subname}
            renamed = replace(constraint, name=tree.newname)
            chain.relations[relation.name] = replace(relation, constraints={**rest, tree.newname: renamed})
    elif tree.renameType == ObjectType.OBJECT_POLICY:
        table = chain.key(tree.relation)
        policies = dict(chain.policies.get(table, {}))
        policy = policies.pop(tree.subname, None)
        if policy is not None:
            chain.policies[table] = {**policies, tree.newname: replace(policy, name=tree.newname)}


def _rename_column(chain: Chain, table: str, old: str, new: str) -> None:
    relation = chain.relation(table)
    columns = {}
    for name, column in relation.columns.items():
        columns[new if name == old else name] = replace(column, name=new) if name == old else column
    constraints = {
        name: replace(item, columns=tuple(new if column == old else column for column in item.columns))
        for name, item in relation.constraints.items()
    }
    chain.relations[table] = replace(relation, columns=columns, constraints=constraints)
    for index in [index for index in chain.indexes.values() if index.table == table and old in index.columns]:
        renamed = tuple(new if column == old else column for column in index.columns)
        chain.indexes[index.name] = replace(index, columns=renamed)


def _set_schema(step: StatementContext) -> None:
    tree, chain = step.tree, step.chain
    if tree.objectType in _RELATIONS:
        key = chain.key(tree.relation)
        _move(chain, key, f"{tree.newschema}.{key.partition('.')[2]}")


def _move(chain: Chain, old: str, new: str) -> None:
    relation = chain.relations.pop(old, None)
    if relation is None:
        return
    chain.relations[new] = replace(relation, name=new)
    chain.grants[f"table {new}"] = chain.grants.pop(f"table {old}", {})
    policies = chain.policies.pop(old, {})
    if policies:
        chain.policies[new] = {name: replace(policy, table=new) for name, policy in policies.items()}
    for index in [index for index in chain.indexes.values() if index.table == old]:
        chain.indexes[index.name] = replace(index, table=new)
    for child in [child for child in chain.relations.values() if child.parent == old]:
        chain.relations[child.name] = replace(child, parent=new)


def _drop(step: StatementContext) -> None:
    tree, chain = step.tree, step.chain
    kind = tree.removeType
    if kind in _RELATIONS:
        for schema, name in dropped(tree):
            _drop_relation(chain, chain.resolve(schema, name))
    elif kind == ObjectType.OBJECT_INDEX:
        for schema, name in dropped(tree):
            chain.indexes.pop(chain.resolve(schema, name), None)
    elif kind == ObjectType.OBJECT_POLICY:
        for names in tree.objects:
            parts = words(names)
            table = chain.resolve(parts[-3] if len(parts) > 2 else None, parts[-2])
            chain.policies[table] = {
                name: policy for name, policy in chain.policies.get(table, {}).items() if name != parts[-1]
            }
    elif kind in _ROUTINES:
        for target in tree.objects:
            for function in functions_named(chain, target):
                rest = tuple(other for other in chain.functions[function.name] if other is not function)
                chain.functions[function.name] = rest
    elif kind in _TYPES:
        for target in tree.objects:
            known = chain.type(".".join(words(target.names)))
            if known is not None:
                del chain.types[known.name]
    elif kind == ObjectType.OBJECT_SCHEMA:
        for target in tree.objects:
            _drop_schema(chain, target.sval)


def functions_named(chain: Chain, target: Any) -> tuple[Function, ...]:
    """Return the functions that an ObjectWithArgs, e.g. of DROP FUNCTION, refers to.

    With an argument list that is one function or none, without it every function of the name.
    """
    same_name = chain.overloads(".".join(words(target.objname)))
    if target.args_unspecified:
        return same_name
    arguments = tuple(str(type_of(node)) for node in target.objargs or ())
    return tuple(function for function in same_name if function.arguments == arguments)


def _drop_relation(chain: Chain, key: str) -> None:
    relation = chain.relations.pop(key, None)
    chain.policies.pop(key, None)
    chain.grants.pop(f"table {key}", None)
    for index in [index for index in chain.indexes.values() if index.table == key]:
        del chain.indexes[index.name]
    for child in [child for child in chain.relations.values() if child.parent == key]:
        _drop_relation(chain, child.name)
    if relation is not None and relation.parent in chain.relations:
        parent = chain.relations[relation.parent]
        if parent.default_partition == key:
            chain.relations[parent.name] = replace(parent, default_partition=None)


def _drop_schema(chain: Chain, schema: str) -> None:
    prefix = f"{schema}."
    chain.schemas.discard(schema)
    for key in [key for key in chain.relations if key.startswith(prefix)]:
        _drop_relation(chain, key)
    for objects in (chain.functions, chain.types, chain.indexes):
        for key in [key for key in objects if key.startswith(prefix)]:
            del objects[key]


HANDLERS: dict[type, Callable[[StatementContext], None]] = {
    ast.RenameStmt: _rename,
    ast.AlterObjectSchemaStmt: _set_schema,
    ast.DropStmt: _drop,
}
