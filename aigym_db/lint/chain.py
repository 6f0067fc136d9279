"""The catalog after the statements replayed so far: what rules use beyond the statement they check."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from aigym_db.lint.objects import Function, Index, Policy, Relation, TransactionState, UserType
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
    """A simulated catalog: the objects that exist after the statements replayed so far.

    Names are keys of the form `schema.name`. Objects that the SQL does not create are assumed to exist and to
    contain rows.
    """

    def __init__(self) -> None:
        self.relations: dict[str, Relation] = {}
        self.indexes: dict[str, Index] = {}
        self.policies: dict[str, dict[str, Policy]] = {}
        """By table, then by name."""
        self.functions: dict[str, tuple[Function, ...]] = {}
        """By name; overloads have different arguments."""
        self.types: dict[str, UserType] = {}
        self.schemas: set[str] = set()
        self.bypassing: set[str] = set()
        """Roles exempt from row security: SUPERUSER or BYPASSRLS."""
        self.grants: dict[str, dict[tuple[str, str], Grant]] = {}
        self.defaults: dict[tuple[str | None, str, str, str], Grant] = {}
        """ALTER DEFAULT PRIVILEGES: schema (None: any), kind, role, privilege."""
        self.functions_executable_by_public = True
        """PUBLIC receives EXECUTE on new functions, which is PostgreSQL's default."""
        self.search_path: tuple[str, ...] = (PUBLIC,)
        self.time_zone: str | None = None
        """TimeZone as set in the current section."""
        self.transaction: TransactionState | None = None
        self.batch = 0
        """The batch of the current section; see `Section.batch`."""

    def start_section(self, batch: int, *, transaction: bool) -> None:
        """Reset search_path and TimeZone, as the runner does before each section, and set the current batch.

        If `transaction` is true, the runner's transaction is open afterwards, otherwise none.
        """
        self.batch = batch
        self.search_path, self.time_zone = (PUBLIC,), None
        self.transaction = TransactionState(explicit=False, spot=None) if transaction else None

    def begin(self, spot: Spot) -> None:
        """Simulate BEGIN at `spot`: open a transaction unless one is open."""
        if self.transaction is None:
            self.transaction = TransactionState(explicit=True, spot=spot, before=self.copy())

    def commit(self) -> None:
        """Simulate COMMIT: close the open transaction, if any, and keep its changes."""
        self.transaction = None

    def rollback(self) -> None:
        """Simulate ROLLBACK: close the open transaction, if any, and discard the changes since its BEGIN.

        In the runner's transaction, which has no BEGIN in the SQL, the changes are kept.
        """
        if self.transaction is not None and self.transaction.explicit:
            vars(self).update(vars(self.transaction.before))
        self.transaction = None

    def set_parameter(self, name: str, values: tuple[str, ...]) -> None:
        """Simulate SET, or RESET if `values` is empty; only search_path and TimeZone have an effect."""
        if name == "search_path":
            self.search_path = tuple(part for part in values or (PUBLIC,) if part and part != "$user")
        elif name == "timezone":
            self.time_zone = values[0] if values else None

    def grant_by_default(self, schema: str | None, kind: str, grant: Grant) -> None:
        """Simulate ALTER DEFAULT PRIVILEGES … GRANT for objects of a kind, in one schema or (None) in all."""
        self.defaults[schema, kind, grant.role, grant.privilege] = grant
        if (schema, kind, grant.role) == (None, "function", PUBLIC):
            self.functions_executable_by_public = True

    def revoke_default(self, schema: str | None, kind: str, role: str, privilege: str) -> None:
        """Simulate ALTER DEFAULT PRIVILEGES … REVOKE.

        PUBLIC's EXECUTE on new functions is a default of all schemas: revoking it in one has no effect.
        """
        self.defaults.pop((schema, kind, role, privilege), None)
        if (schema, kind, role) == (None, "function", PUBLIC):
            self.functions_executable_by_public = False

    def copy(self) -> Chain:
        """Return a copy; statements replayed on it do not change the original."""
        twin = Chain.__new__(Chain)
        for name, value in vars(self).items():
            setattr(twin, name, value.copy() if isinstance(value, (dict, set)) else value)
        return twin

    def key(self, name: Any) -> str:
        """Return `schema.name` of the table or index that a RangeVar names, resolved as `resolve` does."""
        return self.resolve(name.schemaname, name.relname)

    def resolve(self, schema: str | None, name: str) -> str:
        """Return `schema.name` of a table or index; without a schema, the first match on the search path.

        If there is no match, return the name under which CREATE would create it.
        """
        if schema:
            return f"{schema}.{name}"
        for candidate in ("pg_temp", *self.search_path):
            full = f"{candidate}.{name}"
            if full in self.relations or full in self.indexes:
                return full
        return self.place_for(None, name)

    def place_for(self, schema: str | None, name: str) -> str:
        """Return `schema.name` of a new object; without a schema, in the first one of the search path."""
        return f"{schema or (self.search_path[0] if self.search_path else PUBLIC)}.{name}"

    def relation(self, key: str) -> Relation:
        """Return the relation `schema.name`; one that the SQL did not create has the kind `unknown`."""
        return self.relations.get(key) or Relation(key, "unknown", -1)

    def is_new(self, key: str) -> bool:
        """Return True if no other session can use a table: it is temporary or was created in this batch."""
        relation = self.relation(key)
        return relation.batch == self.batch or relation.temporary

    def policies_of(self, key: str) -> tuple[Policy, ...]:
        """Return the policies of a table in order of creation."""
        return tuple(self.policies.get(key, {}).values())

    def grants_on(self, kind: str, name: str) -> Iterator[Grant]:
        """Return the privileges granted on an object, e.g. `grants_on("schema", "coach")`."""
        return iter(self.grants.get(f"{kind} {name}", {}).values())

    def readers(self, relation: Relation) -> tuple[Grant, ...]:
        """Return the grants of SELECT, INSERT, UPDATE and DELETE on a relation to roles that RLS restricts.

        Left out are its owner, roles with SUPERUSER or BYPASSRLS, and roles without USAGE on its schema.
        """
        return tuple(
            grant
            for grant in self.grants_on("table", relation.name)
            if grant.privilege in DATA_PRIVILEGES
            and grant.role != relation.owner
            and grant.role not in self.bypassing
            and self._may_use_schema(relation.name.partition(".")[0], grant.role)
        )

    def uses_row_security(self) -> bool:
        """Return True if row security is enabled on at least one table."""
        return any(relation.rls for relation in self.relations.values())

    def overloads(self, name: str) -> tuple[Function, ...]:
        """Return every overload of a function; a name without a schema is searched on the search path."""
        names = [name] if "." in name else [f"{path}.{name}" for path in self.search_path]
        return tuple(function for full in names for function in self.functions.get(full, ()))

    def every_function(self) -> Iterator[Function]:
        """Return all functions and procedures."""
        return (function for same_name in self.functions.values() for function in same_name)

    def type(self, name: str) -> UserType | None:
        """Return the type with a name, qualified or not; None if the SQL did not create it."""
        if "." in name:
            return self.types.get(name)
        return next((kind for path in self.search_path if (kind := self.types.get(f"{path}.{name}"))), None)

    def _may_use_schema(self, schema: str, role: str) -> bool:
        """Return whether a role has USAGE on a schema; assumed for schemas the SQL did not create."""
        if schema not in self.schemas:
            return True
        return any(
            grant.role in (role, PUBLIC) and grant.privilege == "usage"
            for grant in self.grants_on("schema", schema)
        )
