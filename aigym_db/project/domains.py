"""The domains of a project, from `schema/domains.toml`."""

from __future__ import annotations

import difflib
import re
from typing import Any

from aigym_db.errors import BadConfig
from aigym_db.model.card import Domain
from aigym_db.model.source import Source
from aigym_db.project.config import Project
from aigym_db.project.templates import read
from aigym_db.project.toml import load, place

FILE = "schema/domains.toml"
_KEYS: dict[str, tuple[type, str]] = {
    "name": (str, "a string"),
    "purpose": (str, "a string"),
    "owner": (str, "a string"),
    "may_reference": (list, "a list of domains"),
    "external": (bool, "true or false"),
}
_REQUIRED = ("name", "purpose", "owner")
_NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}")


def domains(project: Project) -> tuple[Domain, ...]:
    """Every domain, in the order the database is built; none when the project describes no state.

    Raises BadConfig (AIG-P002) at the key or value that is wrong.
    """
    path = project.root / FILE
    if not path.is_file():
        if not project.has_state:
            return ()
        raise BadConfig(
            f"The project has a folder schema/, but no {FILE}.",
            hint="Write one [[domain]] table for each schema, with name, purpose and owner.",
        )
    source = read(project, path)
    content = load(source)
    unknown = next((key for key in content if key != "domain"), None)
    if unknown is not None or not _is_list_of_tables(content.get("domain", [])):
        raise BadConfig(
            f"{FILE} holds [[domain]] tables and nothing else, not `{unknown or 'domain'}`.",
            place=_top_level(source, unknown or "domain"),
            hint="Write [[domain]] above the keys of each domain.",
        )
    found = tuple(_domain(source, number, table) for number, table in enumerate(content.get("domain", [])))
    _refuse_wrong_names(source, found)
    return found


def _domain(source: Source, number: int, table: dict[str, Any]) -> Domain:
    for key, value in table.items():
        if key not in _KEYS:
            near = difflib.get_close_matches(key, _KEYS, 1)
            raise BadConfig(
                f"A domain has no key `{key}`.",
                place=place(source, "domain", number, key),
                hint=f"Write `{near[0]}`." if near else f"Use one of: {', '.join(_KEYS)}.",
            )
        kind, words = _KEYS[key]
        strings = not isinstance(value, list) or all(isinstance(item, str) for item in value)
        if not isinstance(value, kind) or not strings or value == "":
            raise BadConfig(
                f"`{key}` of a domain must be {words}, not {value!r}.",
                place=place(source, "domain", number, key),
                hint=f"Give {words}.",
            )
    for key in _REQUIRED:
        if key not in table:
            raise BadConfig(
                f"The domain {table.get('name', f'number {number + 1}')} has no `{key}`.",
                place=place(source, "domain", number),
                hint=f"Add `{key} = …` below the line.",
            )
    if not _NAME.fullmatch(table["name"]):
        raise BadConfig(
            f"`{table['name']}` cannot be the name of a domain, for a domain is a schema.",
            place=place(source, "domain", number, "name"),
            hint="Use lower case letters, digits and underscores.",
        )
    return Domain(
        table["name"],
        table["purpose"],
        table["owner"],
        tuple(table.get("may_reference", ())),
        table.get("external", False),
    )


def _refuse_wrong_names(source: Source, found: tuple[Domain, ...]) -> None:
    names = [domain.name for domain in found]
    for number, domain in enumerate(found):
        if domain.name in names[:number]:
            raise BadConfig(
                f"The domain {domain.name} is there twice.",
                place=place(source, "domain", number, "name"),
                hint="Merge the two tables.",
            )
        for other in domain.may_reference:
            if other not in names:
                near = difflib.get_close_matches(other, names, 1)
                raise BadConfig(
                    f"{domain.name} may reference {other}, but there is no such domain.",
                    place=place(source, "domain", number, "may_reference", other),
                    hint=f"Write `{near[0]}`." if near else f"Use one of: {', '.join(names)}.",
                )


def _is_list_of_tables(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, dict) for item in value)


def _top_level(source: Source, key: str) -> Any:
    found = re.search(rf"^[ \t]*\[*[ \t]*[\"']?{re.escape(key)}\b", source.text, re.MULTILINE)
    return source.place(found.start() if found else 0)
