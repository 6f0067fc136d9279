"""The whole state as scripts, each after everything it needs."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from aigym_db.model.sql import Script
from aigym_db.project.card_checks import check_cards
from aigym_db.project.config import Project
from aigym_db.project.created_objects import CreatedName
from aigym_db.project.cycles import cycle
from aigym_db.project.references import Reference, References, names_in, references
from aigym_db.project.render import Renderer
from aigym_db.project.templates import Template, templates
from aigym_db.project.unknown_references import check_references
from aigym_db.syntax.parse import parse

_STAGES = {"roles": 0, "schema": 1, "policies": 3}
_KINDS = ("roles", "schema", "types", "table", "function", "view", "links", "policies")


@dataclass(slots=True)
class File:
    """One template, what it creates, and the files that must come before it."""

    template: Template
    found: References
    before: dict[str, Reference] = field(default_factory=dict)
    """By file, the reference that makes it necessary."""

    @property
    def name(self) -> str:
        return self.template.file


def ordered(project: Project) -> tuple[Script, ...]:
    """Every template of the project as a script, in an order in which PostgreSQL can run them.

    Roles come first, then schemas, then the rest by domain, kind and name, then policies, except where a
    reference demands otherwise. Raises what `render` and `parse` raise, BadCard (AIG-P003) for a card that
    does not fit its table, UnknownReference (AIG-P007) and ReferenceCycle (AIG-P006).
    """
    found = templates(project)
    renderer = Renderer(project, found)
    files = [File(template, references(parse(renderer.render(template)))) for template in found]
    created = _creators(files)
    check_references(
        project, renderer.domains, [(file.template, file.found) for file in files], created.keys()
    )
    check_cards(renderer.domains, renderer.tables, {file.name: file.found for file in files}, created.keys())
    for file in files:
        file.before = _before(file, created)
    places = {domain.name: number for number, domain in enumerate(renderer.domains)}
    return tuple(file.found.script for file in _sorted(files, places))


def state_sql(project: Project) -> str:
    """The whole state as one SQL text; a comment names the template that each part comes from."""
    return "\n".join(f"-- {script.source.file}\n{script.source.text}" for script in ordered(project))


def _creators(files: Iterable[File]) -> dict[CreatedName, list[File]]:
    created: dict[CreatedName, list[File]] = {}
    for file in files:
        for name in file.found.created:
            created.setdefault(name, []).append(file)
    return created


def _before(file: File, created: Mapping[CreatedName, list[File]]) -> dict[str, Reference]:
    before: dict[str, Reference] = {}
    for reference in _all_needed(file, created):
        for creator in created.get(reference.to) or created.get(_other_kind(reference.to)) or ():
            if creator is not file:
                known = before.get(creator.name)
                if known is None or (reference.role == "foreign key" != known.role):
                    before[creator.name] = reference
    return before


def _all_needed(file: File, created: Mapping[CreatedName, list[File]]) -> Iterator[Reference]:
    """What a file needs, and what the functions need that run while it is created."""
    yield from file.found.needed
    for reference in file.found.needed:
        if reference.role == "call":
            for name in _needed_to_run([reference.to], created):
                yield Reference(name, reference.statement, reference.index)
    for statement, body in file.found.blocks:
        for name in _needed_to_run(names_in(body), created):
            yield Reference(name, statement, statement.start)


def _needed_to_run(
    names: Iterable[CreatedName], created: Mapping[CreatedName, list[File]]
) -> Iterator[CreatedName]:
    """Those of the names that a file creates, and all that the bodies of the functions among them mention."""
    pending, seen = list(names), set[CreatedName]()
    while pending:
        name = pending.pop()
        name = name if name in created else _other_kind(name)
        if name in created and name not in seen:
            seen.add(name)
            yield name
            for creator in created[name]:
                for body in creator.found.bodies.get(name, ()):
                    pending.extend(names_in(body))


def _other_kind(name: CreatedName) -> CreatedName:
    """`schema.type(x)` is a cast and `insert into schema.table (x)` an insert; both read like calls."""
    return CreatedName("relation", name.schema, name.name) if name.kind == "function" else name


def _sorted(files: list[File], domains: Mapping[str, int]) -> Iterator[File]:
    by_name = {file.name: file for file in files}
    waiting = {file.name: len(file.before) for file in files}
    after: dict[str, list[str]] = {}
    for file in files:
        for name in file.before:
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
        raise cycle({name: by_name[name].before for name in sorted(waiting, key=lambda name: keys[name])})


def _key(template: Template, domains: Mapping[str, int]) -> tuple[int, int, int, str]:
    return (
        _STAGES.get(template.kind, 2),
        domains.get(template.domain or "", len(domains)),
        _KINDS.index(template.kind),
        template.name,
    )
