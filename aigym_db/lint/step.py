"""A statement and the catalog before it, as checks of statements receive them."""

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
    """A statement, its section and the chain before the statement is replayed."""

    statement: Statement
    section: Section
    chain: Chain
    body: Body = ""
    """The body that contains the statement: a DO block executes it now, a function when it is called."""
    located: bool = True
    """Whether locations in the tree are indexes of the source; false inside a string with doubled quotes."""

    @property
    def tree(self) -> Any:
        """The parse tree of the statement."""
        return self.statement.tree

    @property
    def in_transaction(self) -> bool:
        """Whether the statement runs inside a transaction block."""
        return self.body != "" or self.chain.transaction is not None

    def spot(self, node: Any = None) -> Spot:
        """Return the spot of a node of the tree, or of the statement if the node has no location."""
        location = getattr(node, "location", None) if self.located else None
        start = self.statement.start
        index = location if isinstance(location, int) and location >= start else start
        return Spot(self.section, self.statement, index)

    def match(self, message: str, hint: str, node: Any = None, level: Level | None = None) -> RuleMatch:
        """Return a match of a rule at a node of this statement."""
        return RuleMatch(self.spot(node), message, hint, level)

    def key(self, name: Any) -> str:
        """Return the qualified name of the table or index a RangeVar names."""
        return self.chain.key(name)

    def relation(self, name: Any) -> Relation:
        """Return the relation a RangeVar names."""
        return self.chain.relation(self.key(name))

    def in_use(self, name: Any) -> bool:
        """Return whether a table may contain rows and be read and written by others during this statement."""
        return not self.chain.is_new(self.key(name))

    def changes(self, *kinds: AlterTableType) -> Iterator[Any]:
        """Return the commands of an ALTER TABLE that are of some kind, if its table is in use."""
        tree = self.tree
        if tree.objtype not in (ObjectType.OBJECT_TABLE, ObjectType.OBJECT_FOREIGN_TABLE) or not self.in_use(
            tree.relation
        ):
            return iter(())
        return (command for command in tree.cmds if command.subtype in kinds)

    def added_columns(self) -> Iterator[Any]:
        """Return the ColumnDef of every column that an ALTER TABLE adds to a table in use."""
        return (command.def_ for command in self.changes(AlterTableType.AT_AddColumn))

    def added_constraints(self, kind: Any) -> Iterator[Any]:
        """Yield every table constraint of a kind that an ALTER TABLE adds to a table in use."""
        for command in self.changes(AlterTableType.AT_AddConstraint):
            if command.def_.contype == kind:
                yield command.def_


def shown(key: str) -> str:
    """Return a qualified name for display, without the schema public."""
    return key.removeprefix("public.")


def dropped(tree: Any) -> Iterator[tuple[str | None, str]]:
    """Yield the schema, if written, and name of each table, view or index in a DROP."""
    for names in tree.objects:
        parts = words(names)
        yield (parts[-2] if len(parts) > 1 else None, parts[-1])
