"""Replay of ALTER TABLE."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from pglast import ast
from pglast.enums import AlterTableType as Alter
from pglast.enums import ObjectType

from aigym_db.lint.objects import Relation
from aigym_db.lint.replay.tables import attached, with_column, with_constraint
from aigym_db.lint.step import StatementContext
from aigym_db.lint.types import type_of
from aigym_db.syntax.tree import is_on, role

_SHORT_LOCKS = {
    Alter.AT_ValidateConstraint,
    Alter.AT_SetStatistics,
    Alter.AT_AttachPartition,
    Alter.AT_ChangeOwner,
}


def _alter_table(step: StatementContext) -> None:
    tree, chain = step.tree, step.chain
    if tree.objtype == ObjectType.OBJECT_INDEX or tree.objtype == ObjectType.OBJECT_TYPE:
        return
    key = step.key(tree.relation)
    if tree.missing_ok and key not in chain.relations:
        return
    transaction = chain.transaction
    if (
        transaction is not None
        and not chain.is_new(key)
        and any(cmd.subtype not in _SHORT_LOCKS for cmd in tree.cmds)
    ):
        transaction.altered.setdefault(key, step.spot())
    for command in tree.cmds:
        chain.relations[key] = _changed(step, chain.relation(key), command)


def _changed(step: StatementContext, relation: Relation, command: Any) -> Relation:
    change = _CHANGES.get(command.subtype)
    return relation if change is None else change(step, relation, command)


def _add_column(step: StatementContext, relation: Relation, command: Any) -> Relation:
    if command.missing_ok and command.def_.colname in relation.columns:
        return relation
    return with_column(step.chain, relation, command.def_)


def _drop_column(step: StatementContext, relation: Relation, command: Any) -> Relation:
    chain, dropped = step.chain, command.name
    for index in [
        index for index in chain.indexes.values() if index.table == relation.name and dropped in index.columns
    ]:
        del chain.indexes[index.name]
    return replace(
        relation,
        columns={name: column for name, column in relation.columns.items() if name != dropped},
        constraints={
            name: item for name, item in relation.constraints.items() if dropped not in item.columns
        },
    )


def _alter_type(step: StatementContext, relation: Relation, command: Any) -> Relation:
    column = relation.columns.get(command.name)
    if column is None:
        return relation
    changed = replace(column, type=type_of(command.def_.typeName))
    return replace(relation, columns={**relation.columns, column.name: changed})


def _null(not_null: bool) -> Callable[[StatementContext, Relation, Any], Relation]:
    def change(step: StatementContext, relation: Relation, command: Any) -> Relation:
        column = relation.columns.get(command.name)
        if column is None:
            return relation
        return replace(
            relation, columns={**relation.columns, column.name: replace(column, not_null=not_null)}
        )

    return change


def _add_constraint(step: StatementContext, relation: Relation, command: Any) -> Relation:
    before = relation.constraints.keys()
    relation = with_constraint(step.chain, relation, command.def_)
    if command.def_.skip_validation and step.chain.transaction is not None:
        step.chain.transaction.add_not_valid(relation.name, relation.constraints.keys() - before)
    return relation


def _drop_constraint(step: StatementContext, relation: Relation, command: Any) -> Relation:
    constraint = relation.constraints.get(command.name)
    if constraint is None:
        return relation
    if constraint.index is not None:
        step.chain.indexes.pop(constraint.index, None)
    rest = {name: item for name, item in relation.constraints.items() if name != constraint.name}
    return replace(relation, constraints=rest)


def _validate(step: StatementContext, relation: Relation, command: Any) -> Relation:
    constraint = relation.constraints.get(command.name)
    if constraint is None:
        return relation
    valid = replace(constraint, validated=True)
    columns = dict(relation.columns)
    if constraint.kind == "not null":
        columns |= {
            name: replace(columns[name], not_null=True) for name in constraint.columns if name in columns
        }
    return replace(relation, columns=columns, constraints={**relation.constraints, valid.name: valid})


def _attach(step: StatementContext, relation: Relation, command: Any) -> Relation:
    chain = step.chain
    child = chain.relation(chain.key(command.def_.name))
    default = bool(command.def_.bound is not None and command.def_.bound.is_default)
    chain.relations[child.name] = attached(chain, relation, child, default)
    return chain.relation(relation.name) if relation.known else relation


def _detach(step: StatementContext, relation: Relation, command: Any) -> Relation:
    chain = step.chain
    child = chain.relation(chain.key(command.def_.name))
    chain.relations[child.name] = replace(child, parent=None)
    if relation.default_partition == child.name:
        return replace(relation, default_partition=None)
    return relation


def _row_security(enabled: bool) -> Callable[[StatementContext, Relation, Any], Relation]:
    return lambda step, relation, command: replace(relation, rls=enabled)


def _owner(step: StatementContext, relation: Relation, command: Any) -> Relation:
    return replace(relation, owner=role(command.newowner))


def _options(step: StatementContext, relation: Relation, command: Any) -> Relation:
    on = is_on(command.def_, "security_invoker")
    return replace(relation, security_invoker=True) if on else relation


_CHANGES: dict[Alter, Callable[[StatementContext, Relation, Any], Relation]] = {
    Alter.AT_AddColumn: _add_column,
    Alter.AT_DropColumn: _drop_column,
    Alter.AT_AlterColumnType: _alter_type,
    Alter.AT_SetNotNull: _null(True),
    Alter.AT_DropNotNull: _null(False),
    Alter.AT_AddConstraint: _add_constraint,
    Alter.AT_DropConstraint: _drop_constraint,
    Alter.AT_ValidateConstraint: _validate,
    Alter.AT_AttachPartition: _attach,
    Alter.AT_DetachPartition: _detach,
    Alter.AT_EnableRowSecurity: _row_security(True),
    Alter.AT_DisableRowSecurity: _row_security(False),
    Alter.AT_ChangeOwner: _owner,
    Alter.AT_SetRelOptions: _options,
}

HANDLERS: dict[type, Callable[[StatementContext], None]] = {ast.AlterTableStmt: _alter_table}
