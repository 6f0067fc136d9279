"""The whole state as scripts, each after everything it requires."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from aigym_db.model.sql import Script
from aigym_db.project.card_checks import check_cards
from aigym_db.project.config import Project
from aigym_db.project.created_objects import CreatedName
from aigym_db.project.cycles import cycle_error
from aigym_db.project.references import Reference, References, qualified_names, references
from aigym_db.project.render import Renderer
from aigym_db.project.templates import Template, templates
from aigym_db.project.unknown_references import check_references
from aigym_db.syntax.parse import parse

_STAGES = {"roles": 0, "schema": 1, "policies": 3}
_KINDS = ("roles", "schema", "types", "table", "function", "view", "links", "policies")


@dataclass(frozen=True, slots=True)
class File:
    """One template, and the objects that it creates and requires."""

    template: Template
    references: References

    @property
    def name(self) -> str:
        """The path of the template relative to the project."""
        return self.template.file


def ordered(project: Project) -> tuple[Script, ...]:
    """Return every template of the project as a script, in an order that PostgreSQL can execute.

    Roles come first, then schemas, then the rest by domain, kind and name, then policies, except where a
    reference requires another order. Raise the errors of `render` and `parse`, BadCard (AIG-P003) if a card
    does not match its table, UnknownReference (AIG-P007) and ReferenceCycle (AIG-P006).
    """
    sources = templates(project)
    renderer = Renderer(project, sources)
    files = [File(template, references(parse(renderer.render(template)))) for template in sources]
    created = _creators(files)
    check_references(
        project, renderer.domains, [(file.template, file.references) for file in files], created.keys()
    )
    check_cards(
        renderer.domains, renderer.tables, {file.name: file.references for file in files}, created.keys()
    )
    before = {file.name: _before(file, created) for file in files}
    places = {domain.name: number for number, domain in enumerate(renderer.domains)}
    return tuple(file.references.script for file in _sorted(files, before, places))


def state_sql(project: Project) -> str:
    """Return the whole state as one SQL text; a comment names the template of each part."""
    return "\n".join(f"-- {script.source.file}\n{script.source.text}" for script in ordered(project))


def _creators(files: Iterable[File]) -> dict[CreatedName, list[File]]:
    created: dict[CreatedName, list[File]] = {}
    for file in files:
        for name in file.references.created:
            created.setdefault(name, []).append(file)
    return created


def _before(file: File, created: Mapping[CreatedName, list[File]]) -> dict[str, Reference]:
    """Return the files that must precede this one, with the reference that is the reason."""
    before: dict[str, Reference] = {}
    for reference in _all_required(file, created):
        for creator in created.get(reference.to) or created.get(_other_kind(reference.to)) or ():
            if creator is not file:
                known = before.get(creator.name)
                if known is None or (reference.role == "foreign key" != known.role):
                    before[creator.name] = reference
    return before


def _all_required(file: File, created: Mapping[CreatedName, list[File]]) -> Iterator[Reference]:
    """Yield the references of a file and of the functions that its statements execute."""
    yield from file.references.required
    for reference in file.references.required:
        if reference.role == "call":
            for name in _required_to_run([reference.to], created):
                yield Reference(name, reference.statement, reference.index)
    for statement, body in file.references.blocks:
        for name in _required_to_run(qualified_names(body), created):
            yield Reference(name, statement, statement.start)


def _required_to_run(
    names: Iterable[CreatedName], created: Mapping[CreatedName, list[File]]
) -> Iterator[CreatedName]:
    """Yield the names that some file creates, and those in the bodies of the functions among them."""
    pending, seen = list(names), set[CreatedName]()
    while pending:
        name = pending.pop()
        name = name if name in created else _other_kind(name)
        if name in created and name not in seen:
            seen.add(name)
            yield name
            for creator in created[name]:
                for body in creator.references.bodies.get(name, ()):
                    pending.extend(qualified_names(body))


def _other_kind(name: CreatedName) -> CreatedName:
    """Return a function name as a relation: a cast `schema.type(x)` has the syntax of a call."""
    return CreatedName("relation", name.schema, name.name) if name.kind == "function" else name


def _sorted(
    files: list[File], before: Mapping[str, Mapping[str, Reference]], domains: Mapping[str, int]
) -> Iterator[File]:
    by_name = {file.name: file for file in files}
    waiting = {file.name: len(before[file.name]) for file in files}
    after: dict[str, list[str]] = {}
    for file in files:
        for name in before[file.name]:
            after.setdefault(name, []).append(file.name)
    keys = {file.name: _key(file.template, domains) for file in files}
    ready = [(keys[name], name) for name, count in waiting.items() if not count]
    heapq.heapify(ready)
    while ready:
        _, name = heapq.heappop(ready)
        yield by_name[name]
        del waiting[name]
        for other in after.get(name, ()):
            waiting[other] -= 1
            if not waiting[other]:
                heapq.heappush(ready, (keys[other], other))
    if waiting:
        raise cycle_error({name: before[name] for name in sorted(waiting, key=lambda name: keys[name])})


def _key(template: Template, domains: Mapping[str, int]) -> tuple[int, int, int, str]:
    return (
        _STAGES.get(template.kind, 2),
        domains.get(template.domain or "", len(domains)),
        _KINDS.index(template.kind),
        template.name,
    )
