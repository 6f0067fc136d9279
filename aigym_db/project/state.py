"""The state of a project as SQL for an empty database."""

from __future__ import annotations

from collections.abc import Iterable

from aigym_db.model.migration import Part
from aigym_db.model.sql import Script
from aigym_db.project.config import Project
from aigym_db.project.order import ordered

ROLES = "schema/_roles.sql.j2"
"""Runs as the role that connects, because it creates the owner."""


def state(project: Project) -> tuple[Part, ...]:
    """Return the rendered templates of `schema/` and `policies/` as parts to execute, in order of creation.

    Raise what `ordered` raises.
    """
    return parts(ordered(project))


def parts(scripts: Iterable[Script]) -> tuple[Part, ...]:
    """Return each script as a part that runs in one transaction."""
    return tuple(
        Part(
            source=script.source,
            start=0,
            end=len(script.source.text),
            role="none" if script.source.file == ROLES else None,
        )
        for script in scripts
    )
