"""The reach of an actor: rows, values of functions, and rows of its own that functions of policies read.

It is read before and after each permitted call and write. A row that existed before and that the actor can
select, update or delete only afterwards has been gained, as has a value of a function (membership of a
tenant, a permission) and a row of its own in a table that functions of policies read (a role).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aigym_db.access.call_plans import ReadOnlyCall, read_only_calls
from aigym_db.access.functions import CallableFunction
from aigym_db.access.matrix import AccessMatrix
from aigym_db.access.mutations import AccessRules, read_access_rules
from aigym_db.access.policy_inputs import PolicyInputs, constant_calls, policy_inputs
from aigym_db.access.reach_dependencies import tables_read_by
from aigym_db.access.statements import written_condition
from aigym_db.access.tables import Table, tables
from aigym_db.database.migration_session import Connection
from aigym_db.database.queries import query
from aigym_db.model.access import Actor
from aigym_db.syntax.quote import literal

_TAB = "\t"
_UNREPORTED = "-"
"""The first character of an entry that is compared and not reported."""
_QUERIES = (
    "discard_reach",
    "create_reach_parts",
    "create_policy_tables",
    "create_baselines",
    "create_act_as",
    "create_defer_constraints",
    "create_read_reach",
    "create_policies_affected",
    "create_reach_changes",
)
_MARKS = {"update": "~", "delete": "-"}
"""What follows the name of a table in an entry about rows that can be updated or deleted."""


@dataclass(frozen=True, slots=True)
class Reach:
    """The functions of a session that read the reach of actors."""

    functions: Mapping[str, str]
    """The name of the function for each role that does not bypass row-level security, in `pg_temp`."""
    definitions: tuple[str, ...]
    """The statements that create them."""
    persons: tuple[str, ...]
    """The names of actors.toml that owner columns of held rows contain."""
    parts: Mapping[str, tuple[str, ...] | None]
    """The parts that can be read alone, tables and calls, each with the tables that it depends on; None if
    that is unknown."""
    rules: AccessRules
    """The policies and functions that it has been determined from."""
    inputs: PolicyInputs
    """What these policies depend on."""

    def create(self, connection: Connection) -> None:
        """Create the functions in a session of a superuser, and the tables that they read."""
        for name in _QUERIES:
            connection.execute(query(f"access/{name}").encode())
        for definition in self.definitions:
            connection.execute(definition.encode())
        with connection.cursor() as cursor:
            cursor.executemany(
                "insert into pg_temp.aigym_reach_part values (%s, %s, %s)",
                [
                    (part, "(" not in part, None if reads is None else list(reads))
                    for part, reads in self.parts.items()
                ],
            )
            cursor.executemany(
                "insert into pg_temp.aigym_policy_table values (%s, %s)",
                [(table, table in self.inputs.direct) for table in sorted(self.inputs.tables)],
            )

    def entries(self, connection: Connection, actor: Actor) -> Iterator[tuple[str, str]]:
        """Yield label and value of what an actor reaches whose role does not bypass row-level security."""
        row = connection.execute(
            "select pg_temp.aigym_read_reach(%s::jsonb, null)", [json.dumps(self.identity(actor))]
        ).fetchone()
        for entry in row[0] if row else ():
            if not entry.startswith(_UNREPORTED):
                label, _, value = entry.partition(_TAB)
                yield label, value

    def identity(self, actor: Actor) -> Mapping[str, Any] | None:
        """Return the argument of `aigym_read_reach`; None if the role bypasses row-level security."""
        if actor.role not in self.functions:
            return None
        return {
            "name": actor.name,
            "function": self.functions[actor.role],
            "claims": actor.claims_text,
            "settings": dict(actor.settings),
            "persons": {name: actor.names.get(name) for name in self.persons},
        }


def reach(connection: Connection, matrix: AccessMatrix, functions: Mapping[str, CallableFunction]) -> Reach:
    """Return the functions that read the reach of the actors of the matrix.

    `functions` are those that the roles of the actors can execute. `search_path` must be empty.

    Each is `pg_temp.<name>(claims, settings, persons, parts)` and returns entries, a label and a value
    separated by a tab: `schema.table` and the key of a row that the actor can select, `schema.table~` and
    `schema.table-` of one that it can also update or delete, `schema.name(call)` and a value that is not
    null, `schema.table(held)` and the values of a row. Held rows and the values of functions that policies
    call are always read; other calls and the rows of tables only if they are in `parts`, or `parts` is null.
    The queries are static, so that each is planned once per session: planning takes longer than executing.
    """
    roles = sorted({actor.role for actor in matrix.actors.values()})
    catalog = tables(connection, roles)
    inside = [
        table for name, table in catalog.items() if name.partition(".")[0] not in matrix.actor_list.outside
    ]
    calls = read_only_calls(connection, matrix, functions)
    policed = [role for role in roles if _policed(inside, role)]
    conditions = _write_conditions(connection, policed)
    rules = read_access_rules(connection)
    inputs = policy_inputs(rules, catalog)
    held, persons = _held(matrix, catalog, inputs)
    helpers = [call for call in calls if call.function in inputs.functions]
    helpers += _calls_of_policies(inputs, helpers, policed)
    others = [call for call in calls if call.function not in inputs.functions]
    names: dict[str, str] = {}
    definitions = [_existing(inside), _function("aigym_written(parts text[])", _written(inside))]
    for index, role in enumerate(policed):
        names[role] = name = f"aigym_reach_{index}"
        act = f"perform pg_temp.aigym_act_as({literal(role)}, claims, settings);"
        rows = [
            _if_read(table.name, _append(_reachable_rows(table, role, conditions)))
            for table in inside
            if role in table.grants and table.grants[role].selects.issuperset(table.key)
        ]
        values = [_if_read(call.label, value) for call, value in _values(role, others)]
        definitions.append(
            _function(
                f"{name}(claims text, settings jsonb, persons jsonb, parts text[])",
                (
                    *(act, *(value for _, value in _values(role, helpers))),
                    *("perform set_config('role', 'none', true);", *held),
                    *(act, *values, *rows),
                ),
            )
        )
    parts = tables_read_by(
        rules, [table.name for table in inside], {call.label: call.function for call in others}
    )
    return Reach(names, tuple(definitions), persons, parts, rules, inputs)


def _calls_of_policies(
    inputs: PolicyInputs, known: Iterable[ReadOnlyCall], roles: Iterable[str]
) -> Iterator[ReadOnlyCall]:
    """Yield the calls with constant arguments in policies that the matrix does not contain.

    Their values are compared, but they are no gain: the rows are, which the policies admit.
    """
    contained = {call for helper in known for call in constant_calls(helper.statement)}
    for call, sql in inputs.calls.items():
        if call not in contained:
            yield ReadOnlyCall(call[0], f"{_UNREPORTED}{sql}", sql, frozenset(roles))


def owner_columns(matrix: AccessMatrix) -> tuple[tuple[str, str, str], ...]:
    """Return the owner columns of tables: table, column, and the name of its value in actors.toml.

    They are those that `reassignments` maps to a value of the actor that is no list.
    """
    many = {
        name
        for actor in matrix.actors.values()
        for name, value in actor.names.items()
        if isinstance(value, tuple)
    }
    return tuple(
        (name, column, person)
        for name, table_matrix in matrix.tables.items()
        for column, person in table_matrix.reassignments.items()
        if person in matrix.actor_list.names and person not in many
    )


def _policed(inside: Iterable[Table], role: str) -> bool:
    return any(role in table.grants and not table.grants[role].bypasses for table in inside)


def _write_conditions(
    connection: Connection, roles: Sequence[str]
) -> Mapping[tuple[str, str, str], _Condition]:
    """Return the conditions of the policies for UPDATE and DELETE, by table, role and command."""
    rows = connection.execute(query("access/write_conditions").encode(), {"roles": list(roles)})
    return {
        (table, role, command): _Condition(permissive or "false", restrictive or "true", frozenset(columns))
        for table, role, command, permissive, restrictive, columns in rows
    }


@dataclass(frozen=True, slots=True)
class _Condition:
    permissive: str
    restrictive: str
    columns: frozenset[str]

    @property
    def sql(self) -> str:
        return f"({self.permissive}) and ({self.restrictive})"


def _held(
    matrix: AccessMatrix, catalog: Mapping[str, Table], inputs: PolicyInputs
) -> tuple[list[str], tuple[str, ...]]:
    """Return the statements that append the rows of the actor that functions of policies read.

    Its rows are those whose owner column, as listed under `reassignments`, has a value of the actor. Second
    are the names of these values.
    """
    owners = [
        (catalog[name], catalog[name].columns[column], person)
        for name, column, person in owner_columns(matrix)
        if name in inputs.held and column in catalog[name].columns
    ]
    statements = []
    for table, owner, person in owners:
        values = (f"{table.columns[name].quoted}::text" for name in inputs.held[table.name])
        columns = f"concat_ws('|', {', '.join((table.key_sql, *values))})"
        own = f"{owner.quoted}::text = persons ->> {literal(person)}"
        label = literal(f"{table.name}(held)" + _TAB)
        statements.append(_append(f"select {label} || {columns} from {table.quoted} where {own}"))
    return statements, tuple(sorted({person for _, _, person in owners}))


def _values(role: str, calls: Iterable[ReadOnlyCall]) -> Iterator[tuple[ReadOnlyCall, str]]:
    for call in calls:
        if role in call.roles:
            append = _append(
                f"select {literal(call.label + _TAB)} || aigym_value::text "
                f"from {call.statement} as aigym_value"
            )
            yield call, f"begin {append} exception when others then null; end;"


def _if_read(part: str, statement: str) -> str:
    return f"if parts is null or {literal(part)} = any (parts) then {statement} end if;"


def _reachable_rows(table: Table, role: str, conditions: Mapping[tuple[str, str, str], _Condition]) -> str:
    """Return the query of the rows that a role can select, and of those that it can also update or delete."""
    grants = table.grants[role]
    entries = [f"{literal(table.name + _TAB)} || {table.key_sql}"]
    for command, mark in _MARKS.items():
        condition = _Condition("true", "true", frozenset())
        if table.protected:
            condition = conditions.get((table.name, role, command), _Condition("false", "true", frozenset()))
        if (
            (grants.updates if command == "update" else grants.deletes)
            and condition.permissive != "false"
            and condition.columns <= grants.selects
        ):
            entry = f"{literal(table.name + mark + _TAB)} || {table.key_sql}"
            entries.append(f"case when {condition.sql} then {entry} end")
    return f"select unnest(array[{', '.join(entries)}]) from {table.quoted}"


def _written(inside: Iterable[Table]) -> Iterator[str]:
    for table in inside:
        yield _if_read(table.name, _append(f"{_rows(table)} where {written_condition()}"))


def _existing(inside: Sequence[Table]) -> str:
    """Return the statements that create the table of the entries of all rows."""
    every = "\nunion all\n".join(_rows(table) for table in inside)
    return (
        "drop table if exists pg_temp.aigym_existing;\n"
        f"create temporary table aigym_existing as select distinct entry from ({every}) as rows (entry);\n"
        "alter table pg_temp.aigym_existing add primary key (entry)"
    )


def _rows(table: Table) -> str:
    return f"select {literal(table.name + _TAB)} || {table.key_sql} from {table.quoted}"


def _append(text: str) -> str:
    return f"reached := reached || array({text});"


def _function(head: str, statements: Iterable[str]) -> str:
    body = "\n".join(statements)
    return (
        f"create or replace function pg_temp.{head} returns text[] language plpgsql as $aigym_reach$\n"
        "#variable_conflict use_column\n"
        f"declare reached text[] := '{{}}';\nbegin\n{body}\n"
        "perform set_config('role', 'none', true);\nreturn array_remove(reached, null);\nend\n$aigym_reach$"
    )
