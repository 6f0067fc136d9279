"""Row classes: SQL in which `{words}` stand for parameters, people and other classes."""

from __future__ import annotations

import re
from collections.abc import Mapping

from aigym_db.access.actors import ActorList
from aigym_db.project.toml import Document
from aigym_db.syntax.quote import literal

_PLACEHOLDER = re.compile(r"\{(\w+)\}")


def complete(
    doc: Document, table: str, rows: Mapping[str, str], words: Mapping[str, str], actor_list: ActorList
) -> Mapping[str, str]:
    """The classes with parameters, people and other classes filled in."""
    for name in rows:
        if name in words or name in actor_list.names or name in actor_list.people:
            raise doc.wrong(
                f"`{name}` is a row class and something else too.",
                table,
                "rows",
                name,
                hint="Rename the class.",
            )

    def expanded(text: str, within: tuple[str, ...]) -> str:
        def word(found: re.Match[str]) -> str:
            name = found[1]
            if name in words:
                return expanded(words[name], (*within, name)) if name not in within else circle(name)
            if name in rows:
                return f"({expanded(rows[name], (*within, name))})" if name not in within else circle(name)
            if name in actor_list.people:
                return literal(actor_list.people[name])
            if name in actor_list.names:
                return found[0]
            raise doc.wrong(
                f"{table}: there is no class, parameter or value `{{{name}}}`.",
                table,
                "rows",
                within[0],
                hint="Use a row class, a parameter of the archetype, or a name of policies/actors.toml.",
            )

        return _PLACEHOLDER.sub(word, text)

    def circle(name: str) -> str:
        raise doc.wrong(
            f"{table}: the row class `{name}` is defined by itself.",
            table,
            "rows",
            name,
            hint="Break the circle.",
        )

    return {name: expanded(text, (name,)) for name, text in rows.items()}


def filled(doc: Document, text: str, words: Mapping[str, str], table: str) -> str:
    def word(found: re.Match[str]) -> str:
        if found[1] not in words:
            raise doc.wrong(
                f"{table}: `{found[1]}` is not a parameter of its archetype.",
                table,
                hint="Name a parameter.",
            )
        return words[found[1]]

    return _PLACEHOLDER.sub(word, text)
