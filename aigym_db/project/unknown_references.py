"""References to objects that do not exist or that a domain must not use."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from aigym_db.errors import UnknownReference
from aigym_db.model.card import Domain
from aigym_db.model.wording import similar
from aigym_db.project.config import Project
from aigym_db.project.created_objects import CreatedName
from aigym_db.project.references import Reference, References
from aigym_db.project.templates import Template

_STRUCTURAL = ("foreign key", "column type")


def check_references(
    project: Project,
    domains: Iterable[Domain],
    files: Iterable[tuple[Template, References]],
    created: Collection[CreatedName],
) -> None:
    """Raise UnknownReference (AIG-P007) for a name that no file creates, or in a forbidden domain.

    Objects of the server, of external domains and of the partition schema are assumed to exist.
    """
    known = {domain.name: domain for domain in domains}
    given = {name for name, domain in known.items() if domain.external} | {project.partition_schema}
    for template, references in files:
        own = known.get(template.domain or "")
        for reference in references.required:
            schema = reference.to.schema
            if own and reference.role in _STRUCTURAL and schema in known:
                _check_domain(own, template, reference)
            if reference.to not in created and schema not in given and not _is_cast(reference.to, created):
                raise _unknown(reference, known, created)


def _is_cast(name: CreatedName, created: Collection[CreatedName]) -> bool:
    return name.kind == "function" and CreatedName("relation", name.schema, name.name) in created


def _check_domain(own: Domain, template: Template, reference: Reference) -> None:
    schema = reference.to.schema
    if schema == own.name or schema in own.may_reference:
        return
    raise UnknownReference(
        f"{template.file} refers to {reference.to}, but the domain {own.name} may not reference {schema}.",
        place=reference.place,
        detail=f"{own.name} may reference: {', '.join(own.may_reference) or 'no other domain'}.",
        hint=f'Add "{schema}" to may_reference of {own.name} in schema/domains.toml if it is intended.',
    )


def _unknown(
    reference: Reference, domains: dict[str, Domain], created: Collection[CreatedName]
) -> UnknownReference:
    name = reference.to
    schemas = {*domains, *(other.schema for other in created if other.kind == "schema")}
    if name.schema not in schemas:
        near = similar(name.schema, schemas)
        advice = (
            f"Add a domain {name.schema} to schema/domains.toml, with `external = true` if it is not ours."
        )
        return UnknownReference(
            f"There is no schema {name.schema}.",
            place=reference.place,
            hint=f"Write `{near[0]}`." if near else advice,
        )
    if name.kind == "schema":
        return UnknownReference(
            f"No file creates the schema {name.schema}.",
            place=reference.place,
            hint=f"Write `create schema {name.schema};` into schema/{name.schema}/_schema.sql.j2.",
        )
    names = [other for other in created if other.kind == name.kind]
    beside = sorted(other.name for other in names if other.schema == name.schema)
    near = [f"{name.schema}.{other}" for other in similar(name.name, beside)]
    near += sorted(str(other) for other in names if other.name == name.name)
    near += similar(str(name), map(str, names))
    noun = "function" if name.kind == "function" else "table, view or type"
    return UnknownReference(
        f"No file creates the {noun} {name}.",
        place=reference.place,
        hint=f"Write `{near[0]}`." if near else f"Describe it in schema/{name.schema}/, or correct the name.",
    )
