"""Comparison of cards with the tables below them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any, NoReturn

from aigym_db.errors import BadCard
from aigym_db.model.card import Card, Domain
from aigym_db.model.source import Source
from aigym_db.model.sql import Script
from aigym_db.model.wording import similar
from aigym_db.project.created_objects import CreatedName
from aigym_db.project.references import References
from aigym_db.syntax.tree import ast

_STRATEGIES = {"l": "list", "r": "range", "h": "hash"}


def check_cards(
    domains: Iterable[Domain],
    cards: Mapping[str, Card],
    files: Mapping[str, References],
    created: Collection[CreatedName],
) -> None:
    """Raise BadCard (AIG-P003) if a card does not match its table or names a parent that does not exist.

    `cards` are by table (`iam.tenants`), `files` by path. Parents in external domains are not checked.
    """
    external = {domain.name for domain in domains if domain.external}
    for card in cards.values():
        script = files[f"schema/{card.schema}/{card.table}.sql.j2"].script
        check_columns(card, script)
        schema, _, table = (card.parent or "").partition(".")
        if card.parent and schema not in external and CreatedName("relation", schema, table) not in created:
            message = f"The parent {card.parent} of {card.name} does not exist."
            _reject(script.source, "parent", card.parent, message, _write(card.parent, cards))


def check_columns(card: Card, script: Script) -> None:
    """Raise BadCard (AIG-P003) if the columns or the partitioning of a card are not those of its table."""
    source = script.source
    trees = [statement.tree for statement in script.statements]
    table = next(
        (tree for tree in trees if isinstance(tree, ast.CreateStmt) and _is(card, tree.relation)), None
    )
    if table is None:
        raise BadCard(
            f"{source.file} has the card of {card.name}, but does not create that table.",
            place=source.place(0),
            hint=f"Write `create table {card.name} (…)` below the card.",
        )
    columns = _columns(card, table, trees)
    named: list[tuple[str, str | None]] = [("owner", card.owner_column), ("tenant", card.tenant_column)]
    named += [("personal", column) for column in card.personal]
    named += [("counters", column) for column in card.counters]
    named += [("partition", card.partitioning.column)] if card.partitioning else []
    for key, column in named:
        if column and column not in columns:
            message = f"{card.name} has no column {column}, which its card names."
            _reject(source, key, column, message, _write(column, columns))
    _check_partitioning(card, table, source)


def _is(card: Card, relation: Any) -> bool:
    return (relation.schemaname, relation.relname) == (card.schema, card.table)


def _columns(card: Card, table: Any, trees: list[Any]) -> list[str]:
    columns = [column.colname for column in table.tableElts or () if isinstance(column, ast.ColumnDef)]
    for tree in trees:
        if isinstance(tree, ast.AlterTableStmt) and _is(card, tree.relation):
            columns += [
                command.def_.colname for command in tree.cmds if isinstance(command.def_, ast.ColumnDef)
            ]
    return columns


def _check_partitioning(card: Card, table: Any, source: Source) -> None:
    claimed = (card.partitioning.method, card.partitioning.column) if card.partitioning else None
    real: tuple[str, str] | None = None
    if table.partspec:
        strategy = getattr(table.partspec.strategy, "value", table.partspec.strategy)
        columns = ", ".join(part.name or "an expression" for part in table.partspec.partParams)
        real = (_STRATEGIES.get(str(strategy), str(strategy)), columns)
    if claimed != real:
        truth = f"is partitioned by {' '.join(real)}" if real else "is not partitioned"
        claim = f"has {' '.join(claimed)}" if claimed else "has no key `partition`"
        _reject(
            source,
            "partition",
            claimed[1] if claimed else "",
            f"{card.name} {truth}, but its card {claim}.",
            "Correct the line `partition` of the card, or PARTITION BY of the table.",
        )


def _reject(source: Source, key: str, value: str, message: str, hint: str) -> NoReturn:
    """Raise BadCard (AIG-P003) at the value of a key; the rendered file begins with the card, too."""
    line = re.compile(rf"^--[ \t]*{key}[ \t]*:.*$", re.MULTILINE).search(source.text)
    start, end = line.span() if line else (0, 0)
    match = re.compile(rf"(?<!\w){re.escape(value)}(?!\w)").search(source.text, start + len(key) + 3, end)
    raise BadCard(message, place=source.place(match.start() if value and match else start), hint=hint)


def _write(name: str, names: Iterable[str]) -> str:
    choices = list(names)
    near = similar(name, choices)
    return f"Write `{near[0]}`." if near else f"Use one of: {', '.join(sorted(choices)[:40])}."
