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
    """A statement, its section, and `chain`: the simulated catalog before the statement."""

    statement: Statement
    section: Section
    chain: Chain
    body: Body = ""
    """The body that contains the statement: a DO block executes it now, a function when it is called."""
    located: bool = True
    """True if locations in the tree are indexes of the source; false inside a string with doubled quotes."""

    @property
    def tree(self) -> Any:
        """The parse tree of the statement."""
        return self.statement.tree

    @property
    def in_transaction(self) -> bool:
        """True in the runner's transaction, after BEGIN, and in the body of a function or DO block."""
        return self.body != "" or self.chain.transaction is not None

    def spot(self, node: Any = None) -> Spot:
        """Return the position of a node of the tree; if it has none, that of the statement."""
        location = getattr(node, "location", None) if self.located else None
        start = self.statement.start
        index = location if isinstance(location, int) and location >= start else start
        return Spot(self.section, self.statement, index)

    def match(self, message: str, hint: str, node: Any = None, level: Level | None = None) -> RuleMatch:
        """Return a match of a rule, positioned as `spot` does; `level` overrides the level of the rule."""
        return RuleMatch(self.spot(node), message, hint, level)

    def key(self, name: Any) -> str:
        """Return `schema.name` of the table or index that a RangeVar names."""
        return self.chain.key(name)

    def relation(self, name: Any) -> Relation:
        """Return the relation that a RangeVar names; one that the SQL did not create is of kind `unknown`."""
        return self.chain.relation(self.key(name))

    def in_use(self, name: Any) -> bool:
        """Return True if other sessions may use the table that a RangeVar names, and it may contain rows."""
        return not self.chain.is_new(self.key(name))

    def changes(self, *kinds: AlterTableType) -> Iterator[Any]:
        """Return the AlterTableCmd nodes of these kinds in an ALTER TABLE of a table in use."""
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
        """Yield the node of each table constraint of a kind that ALTER TABLE adds to a table in use."""
        for command in self.changes(AlterTableType.AT_AddConstraint):
            if command.def_.contype == kind:
                yield command.def_


def shown(key: str) -> str:
    """Return a qualified name for display, without the schema public."""
    return key.removeprefix("public.")


def dropped(tree: Any) -> Iterator[tuple[str | None, str]]:
    """Yield `(schema, name)` of each table, view or index in a DROP; the schema is None if not written."""
    for names in tree.objects:
        parts = words(names)
        yield (parts[-2] if len(parts) > 1 else None, parts[-1])
