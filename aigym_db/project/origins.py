"""The template line that a line of a drafted migration was rendered from."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from aigym_db.errors import AigymError
from aigym_db.model.migration import Migration
from aigym_db.model.source import Place, lines_of
from aigym_db.project.config import Project


def origin(project: Project, migration: Migration, place: Place) -> Place | None:
    """Return the place in a template from which a line of a drafted migration was rendered.

    The templates are those on the migration's `-- from:` line. Return None unless exactly one of their lines
    has the same text as the line of `place`.
    """
    if not migration.made_from or not place.text.strip():
        return None
    with suppress(AigymError):
        places = list(_equal_lines(project, migration, place))
        return places[0] if len(places) == 1 else None
    return None


def _equal_lines(project: Project, migration: Migration, place: Place) -> Iterator[Place]:
    from aigym_db.project.render import render

    for source in render(project):
        index = 0
        for line in lines_of(source.text, keepends=True) if source.file in migration.made_from else ():
            if line.rstrip("\n") == place.text:
                yield source.place(index + place.column - 1)
            index += len(line)
