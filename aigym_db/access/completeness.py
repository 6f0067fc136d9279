"""Whether the answers and the database speak of the same tables, roles and columns."""

from __future__ import annotations

from collections.abc import Mapping

from aigym_db.access.matrix import AccessMatrix
from aigym_db.access.tables import Table
from aigym_db.errors import BadAccessMatrix
from aigym_db.model.source import Place
from aigym_db.model.wording import similar


def check(answers: AccessMatrix, tables: Mapping[str, Table]) -> None:
    """Nothing when every table has answers and every answer has a table.

    Raises BadAccessMatrix (AIG-P012) with the first that is missing: a table that is not tested is not proven.
    """
    for name, sheet in answers.sheets.items():
        if name not in tables:
            near = similar(name, tables)
            raise BadAccessMatrix(
                f"There are answers for {name}, but the database has no such table.",
                place=sheet.place,
                hint=f"Write {near[0]}." if near else "Remove the answers.",
            )
        for column in sheet.moves:
            if column not in tables[name].columns:
                raise BadAccessMatrix(
                    f"`moves` of {name} names a column `{column}` that the table does not have.",
                    place=sheet.place,
                    hint=f"Use one of: {', '.join(tables[name].columns)}.",
                )
    missing = [
        name
        for name in tables
        if name not in answers.sheets and name.partition(".")[0] not in answers.cast.outside
    ]
    if missing:
        raise BadAccessMatrix(
            f"{len(missing)} table{'s have' if len(missing) > 1 else ' has'} no answers: {_listed(missing)}.",
            place=_beside(answers, f"policies/{missing[0].partition('.')[0]}.access.toml"),
            hint="Say which rows each actor reaches; name the schemas of others in `outside`.",
        )
    granted = {role for table in tables.values() for role in table.grants}
    for actor in answers.actors.values():
        if tables and actor.role not in granted:
            raise BadAccessMatrix(
                f"The actor `{actor.name}` has a role {actor.role} that the server does not know.",
                place=answers.cast.place(actor.name),
                hint="Correct the role, or create it in a migration.",
            )


def _beside(answers: AccessMatrix, file: str) -> Place:
    """The last answers of a file, below which the missing ones belong."""
    places = [sheet.place for sheet in answers.sheets.values() if sheet.place.file == file]
    return places[-1] if places else Place(file, 1, 1)


def _listed(names: list[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
