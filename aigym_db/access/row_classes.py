"""Row classes: SQL with `{placeholders}` for parameters, values of the fixture and other classes."""

from __future__ import annotations

import re
from collections.abc import Mapping

from aigym_db.access.actors import ActorList
from aigym_db.project.toml import Document
from aigym_db.syntax.quote import literal

_PLACEHOLDER = re.compile(r"\{(\w+)\}")


def expand_classes(
    doc: Document, table: str, rows: Mapping[str, str], parameters: Mapping[str, str], actor_list: ActorList
) -> Mapping[str, str]:
    """Return the row classes with parameters, fixture values and other classes replaced by their SQL.

    `{placeholders}` of values of the actor remain; `matrix.predicate` replaces them.

    Raise BadAccessMatrix (AIG-P012) for an unknown or ambiguous name and for a class that contains itself.
    """
    for name in rows:
        if name in parameters or name in actor_list.names or name in actor_list.people:
            raise doc.wrong(
                f"`{name}` is a row class and also a parameter or a name of actors.toml.",
                table,
                "rows",
                name,
                hint="Rename the class.",
            )

    def expanded(text: str, within: tuple[str, ...]) -> str:
        def replacement(match: re.Match[str]) -> str:
            name = match[1]
            if name in parameters:
                return expanded(parameters[name], (*within, name)) if name not in within else cycle(name)
            if name in rows:
                return f"({expanded(rows[name], (*within, name))})" if name not in within else cycle(name)
            if name in actor_list.people:
                return literal(actor_list.people[name])
            if name in actor_list.names:
                return match[0]
            raise doc.wrong(
                f"{table}: the class, parameter or value `{{{name}}}` does not exist.",
                table,
                "rows",
                within[0],
                hint="Use a row class, a parameter of the archetype, or a name of policies/actors.toml.",
            )

        return _PLACEHOLDER.sub(replacement, text)

    def cycle(name: str) -> str:
        raise doc.wrong(
            f"{table}: the row class `{name}` contains itself.",
            table,
            "rows",
            name,
            hint="Remove the cycle.",
        )

    return {name: expanded(text, (name,)) for name, text in rows.items()}


def fill_parameters(doc: Document, text: str, parameters: Mapping[str, str], table: str) -> str:
    """Return a text with `{placeholders}` replaced by the values of the archetype's parameters.

    Raise BadAccessMatrix (AIG-P012) for another name.
    """

    def replacement(match: re.Match[str]) -> str:
        if match[1] not in parameters:
            raise doc.wrong(
                f"{table}: `{match[1]}` is not a parameter of its archetype.",
                table,
                hint="Use a parameter of the archetype.",
            )
        return parameters[match[1]]

    return _PLACEHOLDER.sub(replacement, text)
