"""The database as all SQL read so far leaves it: the facts a rule needs beyond its own statement."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from aigym_db.lint.objects import Function, Index, Kind, Policy, Relation, TransactionState
from aigym_db.lint.section import Spot
from aigym_db.syntax.tree import PUBLIC

DATA_PRIVILEGES = frozenset({"select", "insert", "update", "delete"})
TABLE_PRIVILEGES = DATA_PRIVILEGES | {"truncate", "references", "trigger", "maintain"}


@dataclass(frozen=True, slots=True)
class Grant:
    """A privilege that a role holds on an object."""

    object: str
    """Kind and name, e.g. `table coach.sessions`, `schema coach`."""
    role: str
    privilege: str
    spot: Spot
    with_option: bool = False


class Chain:
    """A catalog in memory, changed by replay statement by statement.

    An object the text never created is assumed to be there and to hold rows.
    """

    def __init__(self) -> None:
        self.relations: dict[str, Relation] = {}
        self.indexes: dict[str, Index] = {}
        self.policies: dict[str, dict[str, Policy]] = {}
        """By table, then by name."""
        self.functions: dict[str, tuple[Function, ...]] = {}
        """By name; several with different arguments."""
        self.types: dict[str, Kind] = {}
        self.schemas: set[str] = set()
        self.bypassing: set[str] = set()
        """Roles that row security does not hold: SUPERUSER or BYPASSRLS."""
        self.grants: dict[str, dict[tuple[str, str], Grant]] = {}
        self.defaults: dict[tuple[str | None, str, str, str], Grant] = {}
        """ALTER DEFAULT PRIVILEGES: schema (None: any), kind, role, privilege."""
        self.functions_born_public = True
        self.search_path: tuple[str, ...] = (PUBLIC,)
        self.time_zone: str | None = None
        """What the current passage set TimeZone to."""
        self.transaction: TransactionState | None = None
        self.batch = 0

    def copy(self) -> Chain:
        """A chain that can go its own way from here."""
        twin = Chain.__new__(Chain)
        for name, value in vars(self).items():
            setattr(twin, name, value.copy() if isinstance(value, (dict, set)) else value)
        return twin

    def restore(self, twin: Chain) -> None:
        """Makes this chain what a copy of it was; the copy is used up."""
        vars(self).update(vars(twin))

    def key(self, name: Any) -> str:
        """The full name of what a RangeVar names, found along the search path."""
        return self.resolve(name.schemaname, name.relname)

    def resolve(self, schema: str | None, name: str) -> str:
        """The full name of a table or index."""
        if schema:
            return f"{schema}.{name}"
        for candidate in ("pg_temp", *self.search_path):
            full = f"{candidate}.{name}"
            if full in self.relations or full in self.indexes:
                return full
        return self.place_for(None, name)

    def place_for(self, schema: str | None, name: str) -> str:
        """The full name that something new by this name gets."""
        return f"{schema or (self.search_path[0] if self.search_path else PUBLIC)}.{name}"

    def relation(self, key: str) -> Relation:
        """What is known of a table; an unknown one is assumed to exist."""
        return self.relations.get(key) or Relation(key, "unknown", -1)

    def is_new(self, key: str) -> bool:
        """Whether a table is empty and nobody uses it yet: created in this batch, or temporary."""
        relation = self.relation(key)
        return relation.born == self.batch or relation.temporary

    def partitions(self, key: str) -> Iterator[Relation]:
        """The partitions attached to a table."""
        return (relation for relation in self.relations.values() if relation.parent == key)

    def policies_of(self, key: str) -> tuple[Policy, ...]:
        """The policies of a table, in the order they were made."""
        return tuple(self.policies.get(key, {}).values())

    def granted(self, kind: str, name: str) -> Iterator[Grant]:
        """Every privilege anybody holds on an object."""
        return iter(self.grants.get(f"{kind} {name}", {}).values())

    def readers(self, relation: Relation) -> tuple[Grant, ...]:
        """The grants through which roles that row security holds can reach a relation's rows."""
        return tuple(
            grant
            for grant in self.granted("table", relation.name)
            if grant.privilege in DATA_PRIVILEGES
            and grant.role != relation.owner
            and grant.role not in self.bypassing
            and self._may_use_schema(relation.name.partition(".")[0], grant.role)
        )

    def uses_row_security(self) -> bool:
        """Whether any table has it on: then the others are expected to."""
        return any(relation.rls for relation in self.relations.values())

    def function(self, name: str) -> tuple[Function, ...]:
        """Every function by a name as it is written, without arguments."""
        names = [name] if "." in name else [f"{path}.{name}" for path in self.search_path]
        return tuple(function for full in names for function in self.functions.get(full, ()))

    def every_function(self) -> Iterator[Function]:
        """All functions and procedures."""
        return (function for same_name in self.functions.values() for function in same_name)

    def type(self, name: str) -> Kind | None:
        """A type of the project by its name as it is written."""
        if "." in name:
            return self.types.get(name)
        return next((kind for path in self.search_path if (kind := self.types.get(f"{path}.{name}"))), None)

    def _may_use_schema(self, schema: str, role: str) -> bool:
        """A role can reach nothing in a schema it has no USAGE on; of a schema we did not create we "
        "cannot tell."""
        if schema not in self.schemas:
            return True
        return any(
            grant.role in (role, PUBLIC) and grant.privilege == "usage"
            for grant in self.granted("schema", schema)
        )
