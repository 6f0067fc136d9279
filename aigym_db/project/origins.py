"""Where a line of a drafted migration comes from."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from aigym_db.errors import AigymError
from aigym_db.model.migration import Migration
from aigym_db.model.source import Place, lines_of
from aigym_db.project.config import Project


def origin(project: Project, migration: Migration, place: Place) -> Place | None:
    """The place in a template that a place in its migration was rendered from.

    None when none of the templates that the migration names has such a line any more, or several have.
    """
    if not migration.made_from or not place.text.strip():
        return None
    with suppress(AigymError):
        found = list(_same(project, migration, place))
        return found[0] if len(found) == 1 else None
    return None


def _same(project: Project, migration: Migration, place: Place) -> Iterator[Place]:
    from aigym_db.project.render import render

    for source in render(project):
        at = 0
        for line in lines_of(source.text, keepends=True) if source.file in migration.made_from else ():
            if line.rstrip("\n") == place.text:
                yield source.place(at + place.column - 1)
            at += len(line)
