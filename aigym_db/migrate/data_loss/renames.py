"""What the objects that statements speak of are called at present, before any of these statements has run."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from aigym_db.syntax.quote import quoted


@dataclass(frozen=True, slots=True)
class CurrentName:
    """A table or another object that lives in a schema, as SQL names it."""

    schema: str | None
    name: str

    @property
    def quoted(self) -> str:
        return ".".join(quoted(part) for part in (self.schema, self.name) if part)

    def __str__(self) -> str:
        return ".".join(part for part in (self.schema, self.name) if part)


@dataclass(slots=True)
class Renames:
    """What earlier statements of a line have renamed or moved to another schema."""

    guessing: bool = True
    """Whether a name with a schema and one without may be the same: with a search_path they may."""
    _schemas: dict[str, str] = field(default_factory=dict)
    _relations: dict[CurrentName, CurrentName] = field(default_factory=dict)
    _columns: dict[tuple[CurrentName, str], str] = field(default_factory=dict)

    def learn(self, tree: Any) -> None:
        """Takes in a RENAME or SET SCHEMA."""
        kind = type(tree).__name__
        if kind == "AlterObjectSchemaStmt" and tree.relation is not None:
            before = CurrentName(tree.relation.schemaname, tree.relation.relname)
            self._relations[CurrentName(tree.newschema, before.name)] = self.relation(before)
        elif kind == "RenameStmt" and tree.renameType.name == "OBJECT_SCHEMA":
            self._schemas[tree.newname] = self.schema(tree.subname)
        elif kind == "RenameStmt" and tree.relation is not None:
            before = CurrentName(tree.relation.schemaname, tree.relation.relname)
            if tree.renameType.name in ("OBJECT_COLUMN", "OBJECT_ATTRIBUTE"):
                now = self.relation(before)
                self._columns[now, tree.newname] = self.column(now, tree.subname)
            elif tree.renameType.name != "OBJECT_TABCONSTRAINT":
                self._relations[CurrentName(before.schema, tree.newname)] = self.relation(before)

    def relation(self, name: CurrentName) -> CurrentName:
        """What a table, view or sequence is called now."""
        if name in self._relations:
            return self._relations[name]
        alike = (
            now
            for then, now in self._relations.items()
            if self.guessing and then.name == name.name and None in (then.schema, name.schema)
        )
        schema = None if name.schema is None else self.schema(name.schema)
        return next(alike, CurrentName(schema, name.name))

    def renamed(self, now: CurrentName) -> bool:
        """Whether what is called so now will be called otherwise."""
        return now in self._relations.values() or now.schema in self._schemas.values()

    def schema(self, name: str) -> str:
        """What a schema is called now."""
        return self._schemas.get(name, name)

    def column(self, now: CurrentName, column: str) -> str:
        """What a column is called now, of a table by its name of now."""
        return self._columns.get((now, column), column)
