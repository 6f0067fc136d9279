"""Effects of earlier statements that the catalog does not show yet: new objects, triggers, inheritance."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from aigym_db.migrate.data_loss.renames import CurrentName, Renames

_NAME_FIELD = {
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
"""The field of each creating statement that holds the new object's name."""
_WRITING = ("CopyStmt", "DeleteStmt", "InsertStmt", "MergeStmt", "UpdateStmt")


@dataclass(frozen=True, slots=True)
class NewDependency:
    """A table that an earlier statement makes dependent on a schema or on another table."""

    by: Literal["schema", "relation"]
    parent: CurrentName
    child: CurrentName
    always_dropped: bool = False
    """True if dropping the parent drops the child without CASCADE, as with partitions."""


@dataclass(slots=True)
class PriorStatements:
    """The objects, dependencies, triggers and foreign keys that the statements so far create."""

    _dependencies: tuple[NewDependency, ...] = ()
    """Dependencies that are added to existing tables, and to created ones by ALTER TABLE."""
    _of_created: dict[str, list[NewDependency]] = field(default_factory=dict)
    """Dependencies of tables from their CREATE TABLE, by the name of the table without its schema."""
    _created: set[CurrentName] = field(default_factory=set)
    _renamed: set[CurrentName] = field(default_factory=set)
    """New names of objects other than tables; their current names are not tracked."""
    _owners: set[str] = field(default_factory=set)
    _with_trigger: set[CurrentName] = field(default_factory=set)
    _referenced: set[CurrentName] = field(default_factory=set)

    def add(self, tree: Any, renames: Renames) -> None:
        """Record a statement; `renames` already includes it."""
        kind = type(tree).__name__
        created = _created_name(getattr(tree, _NAME_FIELD[kind])) if kind in _NAME_FIELD else None
        if created is not None:
            self._created.add(created)
        match kind:
            case "CreateStmt":
                self._add_parents(tree, renames)
                self._add_foreign_keys(tree, renames)
            case "CreateSchemaStmt":
                for element in tree.schemaElts or ():
                    self.add(element, renames)
            case "CreateTrigStmt" | "RuleStmt":
                self._with_trigger.add(_relation(tree.relation, renames))
            case "AlterTableStmt":
                self._add_foreign_keys(tree, renames)
                for command in tree.cmds:
                    self._add_command(_relation(tree.relation, renames), command, renames)
            case "AlterObjectSchemaStmt" if tree.relation is not None:
                child = renames.relation(CurrentName(tree.newschema, tree.relation.relname))
                kept = tuple(old for old in self._dependencies if old.by != "schema" or old.child != child)
                parent = CurrentName(None, renames.schema(tree.newschema))
                moved_back = child.schema == parent.name and not self.creates(child)
                new = () if moved_back else (NewDependency("schema", parent, child),)
                self._dependencies = kept + new
            case "AlterObjectSchemaStmt":
                self._renamed.add(CurrentName(tree.newschema, _last_word(tree.object)))
            case "RenameStmt" if tree.relation is None:
                self._renamed.add(CurrentName(None, tree.newname))
            case "AlterOwnerStmt":
                self._owners.add(tree.newowner.rolename)
            case "ReassignOwnedStmt":
                self._owners.add(tree.newrole.rolename)

    def _add_command(self, name: CurrentName, command: Any, renames: Renames) -> None:
        match command.subtype.name:
            case "AT_AddInherit":
                self._dependencies += (NewDependency("relation", _relation(command.def_, renames), name),)
            case "AT_AttachPartition":
                child = _relation(command.def_.name, renames)
                self._dependencies += (NewDependency("relation", name, child, always_dropped=True),)
            case "AT_ChangeOwner":
                self._owners.add(command.newowner.rolename)

    def _add_parents(self, tree: Any, renames: Renames) -> None:
        """Record the schema, the parent tables and the partitioned table of a CREATE TABLE."""
        child, partition = _relation(tree.relation, renames), tree.partbound is not None
        of_table = self._of_created.setdefault(child.name, [])
        of_table += [
            NewDependency("relation", _relation(parent, renames), child, always_dropped=partition)
            for parent in tree.inhRelations or ()
        ]
        if child.schema is not None:
            of_table.append(NewDependency("schema", CurrentName(None, child.schema), child))

    def _add_foreign_keys(self, tree: Any, renames: Renames) -> None:
        from aigym_db.syntax.tree import walk

        for node, _, _ in walk(tree):
            if type(node).__name__ == "Constraint" and node.pktable is not None:
                self._referenced.add(_relation(node.pktable, renames))

    @property
    def dependencies(self) -> tuple[NewDependency, ...]:
        """The new dependencies, also the indirect ones: a table that is a child of a created one."""
        dependencies = dict.fromkeys(self._dependencies)
        pending = list(dependencies)
        while pending:
            new = pending.pop()
            if new.by == "schema":
                continue
            for outer in (*self._dependencies, *self._of_created.get(new.parent.name, ())):
                if not _matches_any(outer.child, {new.parent}) or outer.parent == new.child:
                    continue
                always = outer.always_dropped and new.always_dropped
                indirect = NewDependency(outer.by, outer.parent, new.child, always)
                if indirect not in dependencies:
                    dependencies[indirect] = None
                    pending.append(indirect)
        return tuple(dependencies)

    @property
    def has_triggers(self) -> bool:
        """True if any table has a new trigger or rule."""
        return bool(self._with_trigger)

    def triggering(self, tree: Any, renames: Renames) -> Iterator[CurrentName]:
        """Yield the tables that a statement writes and that have a new trigger or rule."""
        from aigym_db.syntax.tree import walk

        for node, _, _ in walk(tree) if self._with_trigger else ():
            written = node.relations if type(node).__name__ == "TruncateStmt" else ()
            if type(node).__name__ in _WRITING and node.relation is not None:
                written = (node.relation,)
            for relation in written:
                name = _relation(relation, renames)
                if _matches_any(name, self._with_trigger):
                    yield name

    def creates(self, name: CurrentName) -> bool:
        """Return whether an object of that name is created."""
        return _matches_any(name, self._created)

    def makes_cascade_unknown(self, kind: str, name: CurrentName) -> bool:
        """Return whether the catalog no longer shows what dropping the object with CASCADE drops."""
        if kind == "schema":
            return any(renamed.schema == name.name for renamed in self._renamed)
        if kind == "owned":
            return name.name in self._owners
        return kind != "relation" and _matches_any(name, self._renamed)

    def adds_children_to(self, name: CurrentName) -> bool:
        """Return whether the table has new child tables."""
        parents = {new.parent for new in self.dependencies if new.by == "relation"}
        return _matches_any(name, parents)

    def adds_references_to(self, name: CurrentName) -> bool:
        """Return whether the table has new foreign keys that reference it."""
        return _matches_any(name, self._referenced)


def _created_name(value: Any) -> CurrentName | None:
    if isinstance(value, tuple):
        words = [word.sval for word in value]
        return CurrentName(words[-2] if len(words) > 1 else None, words[-1])
    if value is None or isinstance(value, str):
        return CurrentName(None, value) if value else None
    relation = getattr(value, "rel", value)
    return CurrentName(relation.schemaname, relation.relname)


def _last_word(value: Any) -> str:
    words = getattr(value, "objname", value)
    return str(words[-1].sval if isinstance(words, tuple) else words.sval)


def _relation(relation: Any, renames: Renames) -> CurrentName:
    return renames.relation(CurrentName(relation.schemaname, relation.relname))


def _matches_any(name: CurrentName, names: set[CurrentName]) -> bool:
    """Return whether a name is in the set; an unqualified name matches any schema (search_path)."""
    return any(
        other.name == name.name and (other.schema == name.schema or None in (other.schema, name.schema))
        for other in names
    )
