"""The domains of a project, from `schema/domains.toml`."""

from __future__ import annotations

import re
from typing import Any

from aigym_db.errors import BadConfig
from aigym_db.model.card import Domain
from aigym_db.project.config import Project
from aigym_db.project.templates import read
from aigym_db.project.toml import BOOLEAN, STRINGS, TEXT, Document, parse_document, tables

FILE = "schema/domains.toml"
KINDS = {
    "name": TEXT,
    "purpose": TEXT,
    "owner": TEXT,
    "may_reference": STRINGS,
    "external": BOOLEAN,
}
_REQUIRED = ("name", "purpose", "owner")
_NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}")


def domains(project: Project) -> tuple[Domain, ...]:
    """Return every domain in the order the database is built; none if the project has no folder `schema/`.

    Raise BadConfig (AIG-P002) if `schema/domains.toml` is missing or has an unknown key or a wrong value.
    """
    path = project.root / FILE
    if not path.is_file():
        if not project.has_state:
            return ()
        raise BadConfig(
            f"The project has a folder schema/, but no {FILE}.",
            hint="Write one [[domain]] table for each schema, with name, purpose and owner.",
        )
    document = parse_document(read(project, path))
    content = document.checked(document.values, {"domain": tables("domain")}, subject=FILE)
    result = tuple(_domain(document, number, table) for number, table in enumerate(content.get("domain", ())))
    _check_names(document, result)
    return result


def _domain(document: Document, number: int, table: dict[str, Any]) -> Domain:
    document.checked(table, KINDS, "domain", number, subject="A domain")
    for key in _REQUIRED:
        if key not in table:
            raise document.wrong(
                f"The domain {table.get('name', f'number {number + 1}')} has no `{key}`.",
                "domain",
                number,
                hint=f"Add `{key} = …` below the line.",
            )
    if not _NAME.fullmatch(table["name"]):
        raise document.wrong(
            f"`{table['name']}` is not the name of a domain: each domain is a schema.",
            "domain",
            number,
            "name",
            hint="Use lower case letters, digits and underscores.",
        )
    return Domain(
        table["name"],
        table["purpose"],
        table["owner"],
        tuple(table.get("may_reference", ())),
        table.get("external", False),
    )


def _check_names(document: Document, domains: tuple[Domain, ...]) -> None:
    """Raise BadConfig (AIG-P002) if two domains have one name or a domain may reference an unknown one."""
    names = [domain.name for domain in domains]
    for number, domain in enumerate(domains):
        if domain.name in names[:number]:
            raise document.wrong(
                f"The domain {domain.name} is defined twice.",
                "domain",
                number,
                "name",
                hint="Merge the two tables.",
            )
        for other in domain.may_reference:
            if other not in names:
                raise document.unknown(
                    f"{domain.name} may reference {other}, but there is no such domain.",
                    other,
                    names,
                    *("domain", number, "may_reference", other),
                )
