"""Map names as later statements use them to their current names in the catalog."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from aigym_db.syntax.quote import quoted


@dataclass(frozen=True, slots=True)
class CurrentName:
    """The name of a table or another schema object."""

    schema: str | None
    name: str

    @property
    def quoted(self) -> str:
        """The name as in SQL, with quotes where they are required."""
        return quoted(self.schema, self.name)

    def __str__(self) -> str:
        return ".".join(part for part in (self.schema, self.name) if part)


@dataclass(slots=True)
class Renames:
    """The effect of earlier RENAME and SET SCHEMA statements on names."""

    match_unqualified: bool = True
    """True if a qualified and an unqualified name may denote the same object; with a search_path they may."""
    _schemas: dict[str, str] = field(default_factory=dict)
    _relations: dict[CurrentName, CurrentName] = field(default_factory=dict)
    _columns: dict[tuple[CurrentName, str], str] = field(default_factory=dict)

    def add(self, tree: Any) -> None:
        """Record the statement if it is a RENAME or SET SCHEMA."""
        kind = type(tree).__name__
        if kind == "AlterObjectSchemaStmt" and tree.relation is not None:
            before = CurrentName(tree.relation.schemaname, tree.relation.relname)
            self._relations[CurrentName(tree.newschema, before.name)] = self.relation(before)
        elif kind == "RenameStmt" and tree.renameType.name == "OBJECT_SCHEMA":
            self._schemas[tree.newname] = self.schema(tree.subname)
        elif kind == "RenameStmt" and tree.relation is not None:
            before = CurrentName(tree.relation.schemaname, tree.relation.relname)
            if tree.renameType.name in ("OBJECT_COLUMN", "OBJECT_ATTRIBUTE"):
                current = self.relation(before)
                self._columns[current, tree.newname] = self.column(current, tree.subname)
            elif tree.renameType.name != "OBJECT_TABCONSTRAINT":
                self._relations[CurrentName(before.schema, tree.newname)] = self.relation(before)

    def relation(self, name: CurrentName) -> CurrentName:
        """Return the current name of a table, view or sequence."""
        if name in self._relations:
            return self._relations[name]
        matches = (
            current
            for later, current in self._relations.items()
            if self.match_unqualified and later.name == name.name and None in (later.schema, name.schema)
        )
        schema = None if name.schema is None else self.schema(name.schema)
        return next(matches, CurrentName(schema, name.name))

    def is_renamed(self, current: CurrentName) -> bool:
        """Return whether a recorded statement renames the relation of this current name, or its schema."""
        return current in self._relations.values() or current.schema in self._schemas.values()

    def schema(self, name: str) -> str:
        """Return the current name of a schema."""
        return self._schemas.get(name, name)

    def column(self, current: CurrentName, column: str) -> str:
        """Return the current name of a column of the table with this current name."""
        return self._columns.get((current, column), column)
