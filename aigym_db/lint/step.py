"""One statement, and the database it is about to change."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from pglast.enums import AlterTableType, ObjectType

from aigym_db.lint.chain import Chain
from aigym_db.lint.objects import Relation
from aigym_db.lint.rule import RuleMatch
from aigym_db.lint.section import Section, Spot
from aigym_db.model.finding import Level
from aigym_db.model.sql import Statement
from aigym_db.syntax.tree import words

Body = Literal["", "do", "function"]


@dataclass(frozen=True, slots=True, eq=False)
class StatementContext:
    """What a check of statements gets: the chain is as it is before the statement."""

    statement: Statement
    passage: Section
    chain: Chain
    body: Body = ""
    """Inside what the statement stands: a DO block, which runs it now, or a function, which may run it "
    "one day."""
    located: bool = True
    """Whether locations in the tree are indices of the source; not so inside a string with doubled "
    "quotes."""

    @property
    def tree(self) -> Any:
        return self.statement.tree

    @property
    def in_transaction(self) -> bool:
        """Whether other statements are in the same transaction."""
        return self.body != "" or self.chain.transaction is not None

    def spot(self, node: Any = None) -> Spot:
        """Where a node of the tree stands; without one, or when it does not say, the statement."""
        at = getattr(node, "location", None) if self.located else None
        known = isinstance(at, int) and at >= self.statement.start
        return Spot(self.passage, self.statement, at if known and at is not None else self.statement.start)

    def found(self, message: str, advice: str, at: Any = None, level: Level | None = None) -> RuleMatch:
        """A finding about this statement, at one of its nodes."""
        return RuleMatch(self.spot(at), message, advice, level)

    def key(self, name: Any) -> str:
        """The full name of the table or index a RangeVar names."""
        return self.chain.key(name)

    def relation(self, name: Any) -> Relation:
        """What is known of the table a RangeVar names."""
        return self.chain.relation(self.key(name))

    def in_use(self, name: Any) -> bool:
        """Whether a table may hold rows and be read and written by others while this statement runs."""
        return not self.chain.is_new(self.key(name))

    def changes(self, *kinds: AlterTableType) -> Iterator[Any]:
        """The parts of an ALTER TABLE that are of some kind, if its table is in use."""
        tree = self.tree
        if tree.objtype not in (ObjectType.OBJECT_TABLE, ObjectType.OBJECT_FOREIGN_TABLE) or not self.in_use(
            tree.relation
        ):
            return iter(())
        return (command for command in tree.cmds if command.subtype in kinds)

    def added_columns(self) -> Iterator[Any]:
        """The ColumnDef of every column an ALTER TABLE adds to a table in use."""
        return (command.def_ for command in self.changes(AlterTableType.AT_AddColumn))

    def added_constraints(self, kind: Any) -> Iterator[Any]:
        """Every table constraint of a kind an ALTER TABLE adds to a table in use."""
        for command in self.changes(AlterTableType.AT_AddConstraint):
            if command.def_.contype == kind:
                yield command.def_


def shown(key: str) -> str:
    """A full name as people write it."""
    return key.removeprefix("public.")


def dropped(tree: Any) -> Iterator[tuple[str | None, str]]:
    """Schema and name of each table, view or index a DROP names."""
    for names in tree.objects:
        parts = words(names)
        yield (parts[-2] if len(parts) > 1 else None, parts[-1])
