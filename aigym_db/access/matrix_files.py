"""`policies/<domain>.access.toml`: the access matrix, one row per actor, one column per command.

A table defines its own cells:

    ["iam.memberships"]
    requires      = "enrolled"                                   # the required session level
    reassignments = { tenant_id = "tenants", user_id = "me" }    # owner and tenant columns

    ["iam.memberships".rows]                                     # row classes: SQL over a row of the table
    own      = "user_id = {me}"
    tenant   = "tenant_id = any ({tenants}) and status = 'active'"
    governed = "tenant_id = any ({governs}) and not ({own})"

    ["iam.memberships".access]
    #            select                     insert      update      delete  reassign
    end_users = ["own + tenant",            "-",        "-",        "-",    "-"]
    admins    = ["own + tenant + governed", "governed", "governed", "-",    "governed"]
    service   = ["all",                     "all",      "all",      "all",  "all"]
    no_access = ["anonymous", "suspended"]                       # no rows for any command

or uses those of an archetype, `policies/_archetypes/<archetype>.access.toml`:

    "iam.units" = { archetype = "tenant", requires = "enrolled", tenant = "tenant_id" }

There are no defaults. Each row has five cells, each actor is in exactly one row or under `no_access`, and
each table of the database has cells; a missing cell is an error.

A cell is `-` (no row), `all`, or row classes joined by ` + `. In a row class `{me}` and the other names of
actors.toml are replaced by the values of the actor, `{alice}` by a value of the fixture, `{own}` by another
class, `{tenant}` by a parameter of the archetype. An actor whose session does not provide the required level
reaches no rows.

`reassignments` lists the owner and tenant columns and the values that are tried: `tenant_id = "tenants"`
tries the tenants of every actor, `deleted_at = "once"` the value `once` of `[people]`. A cell for reassign
means: rows of this class can be changed to rows of the same class. `visibility.kept` limits this to one
column, `visibility.loose > kept` allows changes from one class to another.

`gains` lists what a permitted write may open to the actor; see `gains`.

`[functions."schema.name"]` has the calls of a function; see `function_files`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from aigym_db.access.actors import ActorList
from aigym_db.access.cell_classes import check_classes
from aigym_db.access.function_files import KEY as FUNCTIONS
from aigym_db.access.function_files import FunctionMatrix, read_functions
from aigym_db.access.gains import KEY as GAINS
from aigym_db.access.gains import listed_gains, read_gains
from aigym_db.access.matrix_rows import Row, read_rows
from aigym_db.access.reach_counts import check_reach
from aigym_db.access.row_classes import expand_classes, fill_parameters
from aigym_db.errors import BadAccessMatrix
from aigym_db.model.access import COMMANDS, Cell, Command
from aigym_db.model.source import Place
from aigym_db.project.toml import Document, read_document

ARCHETYPES = "policies/_archetypes"
ENDING = ".access.toml"
TABLE_KEYS = ("requires", "reassignments", "rows", "access", GAINS)
"""The keys of a table, apart from `archetype` and the parameters of its archetype."""
ARCHETYPE_KEYS = ("note", "parameters", "reassignments", "rows", "access")
_CLASS = re.compile(r"[a-z_][a-z0-9_]*")


@dataclass(frozen=True, slots=True)
class TableMatrix:
    """The cells of one table."""

    table: str
    place: Place
    rows: Mapping[str, str]
    """Row classes as SQL; only the names of actors.toml are not yet replaced."""
    reassignments: Mapping[str, str]
    """Owner and tenant columns, each with the name in actors.toml whose values are tried."""
    cells: Mapping[tuple[str, Command], Cell]


@dataclass(frozen=True, slots=True)
class _Archetype:
    doc: Document
    parameters: Mapping[str, str | None]
    reassignments: Mapping[str, str]
    rows: Mapping[str, str]
    cells: Mapping[str, Row]


def read_matrix_files(
    root: Path, actor_list: ActorList
) -> tuple[tuple[TableMatrix, ...], tuple[FunctionMatrix, ...]]:
    """Read the cells of every table and function in `policies/*.access.toml` of the project at `root`.

    Raise BadAccessMatrix (AIG-P012) with file and line for an unknown key, a missing cell or a duplicate.
    """
    archetypes = {
        path.name.removesuffix(ENDING): _archetype(
            read_document(root, path.relative_to(root).as_posix(), BadAccessMatrix), actor_list
        )
        for path in sorted((root / ARCHETYPES).glob(f"*{ENDING}"))
    }
    tables: dict[str, TableMatrix] = {}
    functions: dict[str, FunctionMatrix] = {}
    documents: dict[str, Document] = {}
    for path in sorted((root / "policies").glob(f"*{ENDING}")):
        doc = read_document(root, path.relative_to(root).as_posix(), BadAccessMatrix)
        for function_matrix in read_functions(doc, actor_list):
            name = function_matrix.function
            if name in functions:
                raise doc.wrong(
                    f"{name} has calls in two files, also in {functions[name].place.file}.",
                    FUNCTIONS,
                    name,
                    hint="Remove one of them.",
                )
            functions[name] = function_matrix
        for table, value in doc.values.items():
            if table == FUNCTIONS:
                continue
            if table in tables:
                raise doc.wrong(
                    f"{table} has access cells in two files, also in {tables[table].place.file}.",
                    table,
                    hint="Remove one of them.",
                )
            documents[table] = doc
            tables[table] = _table_matrix(doc, table, value, actor_list, archetypes)
    cells = [cell for of in functions.values() for cell in of.cells.values()]
    check_reach(
        chain(
            ((name, cell.place) for cell in cells for _, _, name in cell.expected.reach),
            *(listed_gains(doc, table) for table, doc in documents.items()),
        ),
        {*tables, *(f"{cell.function}({cell.call})" for cell in cells)},
    )
    return tuple(tables.values()), tuple(functions.values())


def _archetype(doc: Document, actor_list: ActorList) -> _Archetype:
    doc.only(doc.values, ARCHETYPE_KEYS, subject="An archetype")
    for key in ("note", "reassignments", "rows", "access"):
        if key not in doc.values:
            raise doc.wrong(f"The archetype has no `{key}`.", hint=f"Add `{key}`.")
    parameters: dict[str, str | None] = {}
    for name, value in doc.values.get("parameters", {}).items():
        text = doc.text(value, "parameters", name, subject=f"The parameter `{name}`")
        parameters[name] = None if text == "?" else text
    return _Archetype(
        doc,
        parameters,
        _reassignment_columns(doc, doc.values["reassignments"]),
        _rows(doc),
        read_rows(doc, doc.values["access"], actor_list),
    )


def _table_matrix(
    doc: Document, table: str, value: Any, actor_list: ActorList, archetypes: Mapping[str, _Archetype]
) -> TableMatrix:
    if not re.fullmatch(r"[^.\s]+\.[^.\s]+", table):
        raise doc.wrong(f"`{table}` is not a table name.", table, hint='Write `["schema.table"]`.')
    base = _base(doc, table, value, archetypes)
    doc.only(value, (*TABLE_KEYS, *(("archetype", *base.parameters) if base else ())), table, subject=table)
    requires = _required_level(doc, table, value, actor_list)
    parameters = _parameters(doc, table, value, base)
    rows = expand_classes(
        doc, table, {**(base.rows if base else {}), **_rows(doc, table)}, parameters, actor_list
    )
    reassignments = _reassignments(doc, table, value, base, parameters, actor_list)
    own = read_rows(doc, value.get("access", {} if base else None), actor_list, table)
    actor_rows = {**(base.cells if base else {}), **own}
    gains = read_gains(doc, table, value.get(GAINS, {}), actor_list)
    cells: dict[tuple[str, Command], Cell] = {}
    for actor in actor_list.actors.values():
        if actor.name not in actor_rows:
            raise doc.wrong(
                f"{table} has no cells for the actor `{actor.name}`.",
                table,
                hint="Give it a row of five cells, or put it under `no_access`.",
            )
        key, row = actor_rows[actor.name]
        shared = base is not None and actor.name not in own
        place = base.doc.place("access", key) if base and shared else doc.place(table, "access", key)
        for command, classes in zip(COMMANDS, row, strict=True):
            check_classes(doc, f"{table}, {actor.name}, {command}", classes, rows, reassignments, table)
            reached = classes if requires is None or requires in actor.provides else ()
            gained = gains.get((actor.name, command), frozenset())
            cells[actor.name, command] = Cell(table, actor.name, command, reached, place, gained)
    return TableMatrix(table, doc.place(table), rows, reassignments, cells)


def _required_level(doc: Document, table: str, value: Mapping[str, Any], actor_list: ActorList) -> str | None:
    """Return the session level that the table requires; None if the project defines no levels."""
    if not actor_list.levels:
        return None
    if "requires" not in value:
        raise doc.wrong(
            f"{table} has no required session level.",
            table,
            hint=f"Add `requires = …`, one of: {', '.join(actor_list.levels)}.",
        )
    if value["requires"] not in actor_list.levels:
        raise doc.wrong(
            f"`{value['requires']}` is not one of the levels.",
            table,
            "requires",
            hint=f"Use one of: {', '.join(actor_list.levels)}.",
        )
    return str(value["requires"])


def _parameters(
    doc: Document, table: str, value: Mapping[str, Any], base: _Archetype | None
) -> Mapping[str, str]:
    """Return the values of the archetype's parameters."""
    parameters: dict[str, str] = {}
    for name, default in (base.parameters if base else {}).items():
        if name in value:
            parameters[name] = doc.text(value[name], table, name, subject=f"`{name}`")
        elif default is not None:
            parameters[name] = default
        else:
            raise doc.wrong(
                f"{table} has no value for the parameter `{name}` of its archetype.",
                table,
                hint=f"Add `{name} = …`.",
            )
    return parameters


def _reassignments(
    doc: Document,
    table: str,
    value: Mapping[str, Any],
    base: _Archetype | None,
    parameters: Mapping[str, str],
    actor_list: ActorList,
) -> Mapping[str, str]:
    """Return the owner and tenant columns, each with the name in actors.toml whose values are tried."""
    if "reassignments" in value:
        reassignments = _reassignment_columns(doc, value["reassignments"], table)
    elif base:
        reassignments = {
            fill_parameters(doc, text, parameters, table): name for text, name in base.reassignments.items()
        }
    else:
        raise doc.wrong(
            f"{table} has no list of owner and tenant columns.",
            table,
            hint="Add `reassignments = { … }`; `{}` if it has none.",
        )
    for column, name in reassignments.items():
        if name not in actor_list.names and name not in actor_list.people:
            raise doc.wrong(
                f"`{name}` is not a name of actors.toml.",
                table,
                "reassignments",
                column,
                hint="Use one of `[names]` or `[people]`.",
            )
    return reassignments


def _base(doc: Document, table: str, value: Any, archetypes: Mapping[str, _Archetype]) -> _Archetype | None:
    if not isinstance(value, dict) or "archetype" not in value:
        return None
    if value["archetype"] not in archetypes:
        raise doc.wrong(
            f"The archetype `{value['archetype']}` does not exist.",
            table,
            "archetype",
            hint=f"Add {ARCHETYPES}/{value['archetype']}{ENDING}, or use one of: {', '.join(archetypes)}.",
        )
    return archetypes[value["archetype"]]


def _reassignment_columns(doc: Document, value: Any, *keys: str) -> Mapping[str, str]:
    if not isinstance(value, dict) or not all(isinstance(name, str) for name in value.values()):
        raise doc.wrong(
            "`reassignments` must map columns to names of actors.toml.",
            *keys,
            "reassignments",
            hint='Write `{ user_id = "me" }`.',
        )
    return value


def _rows(doc: Document, table: str | None = None) -> Mapping[str, str]:
    keys = ("rows",) if table is None else (table, "rows")
    value = (doc.values if table is None else doc.values[table]).get("rows", {})
    if not isinstance(value, dict):
        raise doc.wrong(
            "`rows` must be a table of row classes.", *keys, hint='Write `own = "user_id = {me}"`.'
        )
    for name, text in value.items():
        doc.text(text, *keys, name, subject=f"The row class `{name}`")
        if name in ("all", "no_access") or not _CLASS.fullmatch(name):
            raise doc.wrong(
                f"`{name}` cannot be the name of a row class.", *keys, name, hint="Choose another name."
            )
    return value
