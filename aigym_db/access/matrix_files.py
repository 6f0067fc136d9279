"""`policies/<domain>.access.toml`: the answers, one row per actor, one column per command.

A table writes its own answers:

    ["iam.memberships"]
    demands = "enrolled"                                     # the level of session it asks for
    moves   = { tenant_id = "tenants", user_id = "me" }      # columns that say whose a row is

    ["iam.memberships".rows]                                 # row classes: SQL over a row of the table
    own      = "user_id = {me}"
    tenant   = "tenant_id = any ({tenants}) and status = 'active'"
    governed = "tenant_id = any ({governs}) and not ({own})"

    ["iam.memberships".answers]
    #            select                     insert      update      delete  move
    end_users = ["own + tenant",            "-",        "-",        "-",    "-"]
    admins    = ["own + tenant + governed", "governed", "governed", "-",    "governed"]
    service   = ["all",                     "all",      "all",      "all",  "all"]
    nobody    = ["anonymous", "suspended"]                   # these reach nothing whatever they do

or takes those of a sheet, `policies/_archetypes/<sheet>.access.toml`, in one line:

    "iam.units" = { sheet = "tenant", demands = "enrolled", tenant = "tenant_id" }

Nothing has a default. Every row gives all five answers, every actor stands in exactly one row or under
`nobody`, and every table of the database has a sheet: whatever is left out is an error, so nothing is open or
closed because somebody forgot to say.

An answer is `-` (no row), `all`, or row classes joined by ` + `. In a class `{me}` and the other names of
actors.toml stand for the actor who asks, `{alice}` for a person of the fixture, `{own}` for another class,
`{tenant}` for a parameter of the sheet. An actor whose session does not meet what the table demands reaches
nothing.

`moves` names the columns that say whose a row is, and whose values are tried: `tenant_id = "tenants"` tries
the tenants of every actor, `deleted_at = "once"` what `[people]` calls once. An answer for move means: rows
of this class can be moved to where they are of this class again. `visibility.kept` says so of one column
only, `visibility.loose > kept` that rows can be moved from one class to another.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aigym_db.access.actors import Cast
from aigym_db.access.matrix_rows import Row, given
from aigym_db.access.row_classes import complete, filled
from aigym_db.errors import BadAccessMatrix
from aigym_db.model.access import COMMANDS, Cell, Command
from aigym_db.model.source import Place
from aigym_db.project.toml import Document, read_document

ARCHETYPES = "policies/_archetypes"
ENDING = ".access.toml"
_TABLE_KEYS = ("demands", "moves", "rows", "answers")
_SHEET_KEYS = ("note", "parameters", "moves", "rows", "answers")
_CLASS = re.compile(r"[a-z_][a-z0-9_]*")


@dataclass(frozen=True, slots=True)
class TableMatrix:
    """All answers about one table."""

    table: str
    place: Place
    rows: Mapping[str, str]
    """Row classes as SQL, with only actors' names left to fill in."""
    moves: Mapping[str, str]
    """Column to the actors' name, or the people, whose values are tried."""
    cells: Mapping[tuple[str, Command], Cell]


@dataclass(frozen=True, slots=True)
class _Archetype:
    doc: Document
    parameters: Mapping[str, str | None]
    moves: Mapping[str, str]
    rows: Mapping[str, str]
    answers: Mapping[str, Row]


def sheets(root: Path, cast: Cast) -> tuple[TableMatrix, ...]:
    """The sheet of every table that some `policies/*.access.toml` answers for.

    Raises BadAnswers (AIG-P012) with the file and line of what is unknown, missing or said twice.
    """
    archetypes = {
        path.name.removesuffix(ENDING): _archetype(
            read_document(root, path.relative_to(root).as_posix(), BadAccessMatrix), cast
        )
        for path in sorted((root / ARCHETYPES).glob(f"*{ENDING}"))
    }
    found: dict[str, TableMatrix] = {}
    for path in sorted((root / "policies").glob(f"*{ENDING}")):
        doc = read_document(root, path.relative_to(root).as_posix(), BadAccessMatrix)
        for table, value in doc.values.items():
            if table in found:
                raise doc.wrong(
                    f"{table} has answers in two files, also in {found[table].place.file}.",
                    table,
                    hint="Remove one of them.",
                )
            found[table] = _sheet(doc, table, value, cast, archetypes)
    return tuple(found.values())


def _archetype(doc: Document, cast: Cast) -> _Archetype:
    doc.only(doc.values, _SHEET_KEYS, what="A shared sheet")
    for key in ("note", "moves", "rows", "answers"):
        if key not in doc.values:
            raise doc.wrong(f"The sheet has no `{key}`.", hint=f"Add `{key}`.")
    parameters: dict[str, str | None] = {}
    for name, value in doc.values.get("parameters", {}).items():
        text = doc.text(value, "parameters", name, what=f"The parameter `{name}`")
        parameters[name] = None if text == "?" else text
    return _Archetype(
        doc,
        parameters,
        _moves(doc, doc.values["moves"]),
        _rows(doc),
        given(doc, doc.values["answers"], cast),
    )


def _sheet(
    doc: Document, table: str, value: Any, cast: Cast, archetypes: Mapping[str, _Archetype]
) -> TableMatrix:
    if not re.fullmatch(r"[^.\s]+\.[^.\s]+", table):
        raise doc.wrong(f"`{table}` is not a table's name.", table, hint='Write `["schema.table"]`.')
    base = _base(doc, table, value, archetypes)
    doc.only(value, (*_TABLE_KEYS, *(("sheet", *base.parameters) if base else ())), table, what=table)
    demands = _demands(doc, table, value, cast)
    words = _words(doc, table, value, base)
    rows = complete(doc, table, {**(base.rows if base else {}), **_rows(doc, table)}, words, cast)
    moves = _whose(doc, table, value, base, words, cast)
    own = given(doc, value.get("answers", {} if base else None), cast, table)
    answers = {**(base.answers if base else {}), **own}
    cells: dict[tuple[str, Command], Cell] = {}
    for actor in cast.actors.values():
        if actor.name not in answers:
            raise doc.wrong(
                f"{table} has no answers for the actor `{actor.name}`.",
                table,
                hint="Give it a row of five answers, or put it under `nobody`.",
            )
        key, row = answers[actor.name]
        shared = base is not None and actor.name not in own
        place = base.doc.place("answers", key) if base and shared else doc.place(table, "answers", key)
        for command, classes in zip(COMMANDS, row, strict=True):
            _known(doc, f"{table}, {actor.name}, {command}", classes, rows, moves, table)
            reached = classes if demands is None or demands in actor.meets else ()
            cells[actor.name, command] = Cell(table, actor.name, command, reached, place)
    return TableMatrix(table, doc.place(table), rows, moves, cells)


def steps(classes: tuple[str, ...], column: str) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
    """What an answer for move says of a column: (classes before, classes after) of each way that is open."""
    plain: list[str] = []
    ways: list[tuple[tuple[str, ...], tuple[str, ...]]] = []
    for text in classes:
        only, old, new = _step(text)
        if only not in ("", column):
            continue
        if new:
            ways.append(((old,), (new,)))
        else:
            plain.append(old)
    return [(tuple(plain), tuple(plain)), *ways]


def _step(text: str) -> tuple[str, str, str]:
    """`column.old > new` as column, old and new; what is left out is empty."""
    left, _, new = text.partition(" > ")
    column, _, old = left.rpartition(".")
    return column, old, new


def _known(
    doc: Document,
    cell: str,
    classes: tuple[str, ...],
    rows: Mapping[str, str],
    moves: Mapping[str, str],
    table: str,
) -> None:
    for text in classes:
        column, *names = _step(text)
        if column and column not in moves:
            raise doc.wrong(
                f"{cell}: `moves` does not name a column `{column}`.",
                table,
                hint=f"Use one of: {', '.join(moves)}.",
            )
        for name in filter(None, names):
            if name != "all" and name not in rows:
                raise doc.wrong(
                    f"{cell}: there is no row class `{name}`.",
                    table,
                    hint=f"Define it under `rows`, or use one of: {', '.join(rows) or 'all'}.",
                )


def _demands(doc: Document, table: str, value: Mapping[str, Any], cast: Cast) -> str | None:
    """The level of session a table asks for; None where the project knows no levels."""
    if not cast.levels:
        return None
    if "demands" not in value:
        raise doc.wrong(
            f"{table} does not say which level of session it demands.",
            table,
            hint=f"Add `demands = …`, one of: {', '.join(cast.levels)}.",
        )
    if value["demands"] not in cast.levels:
        raise doc.wrong(
            f"`{value['demands']}` is not one of the levels.",
            table,
            "demands",
            hint=f"Use one of: {', '.join(cast.levels)}.",
        )
    return str(value["demands"])


def _words(doc: Document, table: str, value: Mapping[str, Any], base: _Archetype | None) -> Mapping[str, str]:
    """What the parameters of the table's sheet stand for."""
    words: dict[str, str] = {}
    for name, default in (base.parameters if base else {}).items():
        if name in value:
            words[name] = doc.text(value[name], table, name, what=f"`{name}`")
        elif default is not None:
            words[name] = default
        else:
            raise doc.wrong(f"{table} does not give `{name}` to its sheet.", table, hint=f"Add `{name} = …`.")
    return words


def _whose(
    doc: Document,
    table: str,
    value: Mapping[str, Any],
    base: _Archetype | None,
    words: Mapping[str, str],
    cast: Cast,
) -> Mapping[str, str]:
    """The columns that say whose a row is, and the actors' name whose values each may hold."""
    if "moves" in value:
        moves = _moves(doc, value["moves"], table)
    elif base:
        moves = {filled(doc, text, words, table): name for text, name in base.moves.items()}
    else:
        raise doc.wrong(
            f"{table} does not say which columns tell whose a row is.",
            table,
            hint="Add `moves = { … }`, empty if none do.",
        )
    for column, name in moves.items():
        if name not in cast.names and name not in cast.people:
            raise doc.wrong(
                f"`{name}` is not a name of actors.toml.",
                table,
                "moves",
                column,
                hint="Use one of `[names]` or `[people]`.",
            )
    return moves


def _base(doc: Document, table: str, value: Any, archetypes: Mapping[str, _Archetype]) -> _Archetype | None:
    if not isinstance(value, dict) or "sheet" not in value:
        return None
    if value["sheet"] not in archetypes:
        raise doc.wrong(
            f"There is no sheet `{value['sheet']}`.",
            table,
            "sheet",
            hint=f"Add {ARCHETYPES}/{value['sheet']}{ENDING}, or use one of: {', '.join(archetypes)}.",
        )
    return archetypes[value["sheet"]]


def _moves(doc: Document, value: Any, *at: str) -> Mapping[str, str]:
    if not isinstance(value, dict) or not all(isinstance(one, str) for one in value.values()):
        raise doc.wrong(
            "`moves` must give an actors' name per column.", *at, "moves", hint='Write `{ user_id = "me" }`.'
        )
    return value


def _rows(doc: Document, table: str | None = None) -> Mapping[str, str]:
    at = ("rows",) if table is None else (table, "rows")
    value = (doc.values if table is None else doc.values[table]).get("rows", {})
    if not isinstance(value, dict):
        raise doc.wrong("`rows` must be a table of row classes.", *at, hint='Write `own = "user_id = {me}"`.')
    for name, text in value.items():
        doc.text(text, *at, name, what=f"The row class `{name}`")
        if name in ("all", "nobody") or not _CLASS.fullmatch(name):
            raise doc.wrong(
                f"`{name}` cannot be the name of a row class.", *at, name, hint="Choose another word."
            )
    return value
