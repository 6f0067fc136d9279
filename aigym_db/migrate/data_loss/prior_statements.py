"""What earlier statements have made: a server that is asked before any of them has run knows none of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from aigym_db.migrate.data_loss.renames import CurrentName, Renames

_MADE = {
    "CompositeTypeStmt": "typevar",
    "CreateDomainStmt": "domainname",
    "CreateEnumStmt": "typeName",
    "CreateExtensionStmt": "extname",
    "CreateFunctionStmt": "funcname",
    "CreateRangeStmt": "typeName",
    "CreateSchemaStmt": "schemaname",
    "CreateSeqStmt": "sequence",
    "CreateStmt": "relation",
    "CreateTableAsStmt": "into",
    "DefineStmt": "defnames",
    "SelectStmt": "intoClause",
    "ViewStmt": "view",
}
"""Where these statements name what they make."""
_CHANGING = ("CopyStmt", "DeleteStmt", "InsertStmt", "MergeStmt", "UpdateStmt")


@dataclass(frozen=True, slots=True)
class Adoption:
    """A table that goes with something from now on."""

    by: Literal["schema", "relation"]
    parent: CurrentName
    child: CurrentName
    whole: bool = False
    """Whether it goes without CASCADE too, as partitions do."""


@dataclass(slots=True)
class PriorStatements:
    """What the statements of a line have made, and what has come to hang on what."""

    adoptions: tuple[Adoption, ...] = ()
    _made: set[CurrentName] = field(default_factory=set)
    _moved: set[CurrentName] = field(default_factory=set)
    """Objects other than tables under their new name: nobody knows which they are at present."""
    _owners: set[str] = field(default_factory=set)
    _firing: set[CurrentName] = field(default_factory=set)
    _referred: set[CurrentName] = field(default_factory=set)

    def learn(self, tree: Any, renames: Renames) -> None:
        """Takes in a statement that `renames` has learned already."""
        kind = type(tree).__name__
        made = _made(getattr(tree, _MADE[kind])) if kind in _MADE else None
        if made is not None:
            self._made.add(made)
        match kind:
            case "CreateStmt":
                self._refers(tree, renames)
            case "CreateSchemaStmt":
                for one in tree.schemaElts or ():
                    self.learn(one, renames)
            case "CreateTrigStmt" | "RuleStmt":
                self._firing.add(_relation(tree.relation, renames))
            case "AlterTableStmt":
                self._refers(tree, renames)
                for command in tree.cmds:
                    self._altered(_relation(tree.relation, renames), command, renames)
            case "AlterObjectSchemaStmt" if tree.relation is not None:
                child = renames.relation(CurrentName(tree.newschema, tree.relation.relname))
                kept = tuple(one for one in self.adoptions if one.by != "schema" or one.child != child)
                parent = CurrentName(None, renames.schema(tree.newschema))
                new = () if child.schema == parent.name else (Adoption("schema", parent, child),)
                self.adoptions = kept + new
            case "AlterObjectSchemaStmt":
                self._moved.add(CurrentName(tree.newschema, _last(tree.object)))
            case "RenameStmt" if tree.relation is None:
                self._moved.add(CurrentName(None, tree.newname))
            case "AlterOwnerStmt":
                self._owners.add(tree.newowner.rolename)
            case "ReassignOwnedStmt":
                self._owners.add(tree.newrole.rolename)

    def _altered(self, name: CurrentName, command: Any, renames: Renames) -> None:
        match command.subtype.name:
            case "AT_AddInherit":
                self.adoptions += (Adoption("relation", _relation(command.def_, renames), name),)
            case "AT_AttachPartition":
                child = _relation(command.def_.name, renames)
                self.adoptions += (Adoption("relation", name, child, whole=True),)
            case "AT_ChangeOwner":
                self._owners.add(command.newowner.rolename)

    def _refers(self, tree: Any, renames: Renames) -> None:
        from aigym_db.syntax.tree import walk

        for node, _, _ in walk(tree):
            if type(node).__name__ == "Constraint" and node.pktable is not None:
                self._referred.add(_relation(node.pktable, renames))

    @property
    def fires(self) -> bool:
        """Whether there is a new trigger or rule on any table."""
        return bool(self._firing)

    def fired(self, tree: Any, renames: Renames) -> Iterator[CurrentName]:
        """The tables that a statement changes and that have a new trigger or rule."""
        from aigym_db.syntax.tree import walk

        for node, _, _ in walk(tree) if self._firing else ():
            changed = node.relations if type(node).__name__ == "TruncateStmt" else ()
            if type(node).__name__ in _CHANGING and node.relation is not None:
                changed = (node.relation,)
            for relation in changed:
                name = _relation(relation, renames)
                if _any_alike(name, self._firing):
                    yield name

    def made(self, name: CurrentName) -> bool:
        """Whether something of that name was made."""
        return _any_alike(name, self._made)

    def unsure(self, kind: str, name: CurrentName) -> bool:
        """Whether what goes with an object of that name can no longer be asked for."""
        if kind == "schema":
            return any(moved.schema == name.name for moved in self._moved)
        if kind == "owned":
            return name.name in self._owners
        return kind != "relation" and _any_alike(name, self._moved)

    def adopting(self, name: CurrentName) -> bool:
        """Whether a table of that name has got children."""
        return _any_alike(name, {one.parent for one in self.adoptions if one.by == "relation"})

    def referred(self, name: CurrentName) -> bool:
        """Whether a table of that name has got foreign keys that point to it."""
        return _any_alike(name, self._referred)


def _made(named: Any) -> CurrentName | None:
    if isinstance(named, tuple):
        words = [word.sval for word in named]
        return CurrentName(words[-2] if len(words) > 1 else None, words[-1])
    if named is None or isinstance(named, str):
        return CurrentName(None, named) if named else None
    relation = getattr(named, "rel", named)
    return CurrentName(relation.schemaname, relation.relname)


def _last(named: Any) -> str:
    words = getattr(named, "objname", named)
    return str(words[-1].sval if isinstance(words, tuple) else words.sval)


def _relation(relation: Any, renames: Renames) -> CurrentName:
    return renames.relation(CurrentName(relation.schemaname, relation.relname))


def _any_alike(name: CurrentName, names: set[CurrentName]) -> bool:
    """With a search_path, one statement may name the schema and another not."""
    return any(
        one.name == name.name and (one.schema == name.schema or None in (one.schema, name.schema))
        for one in names
    )
