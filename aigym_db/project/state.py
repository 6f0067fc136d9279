"""The state of a project as SQL for an empty database."""

from __future__ import annotations

import re
from collections.abc import Iterable

from aigym_db.errors import BadTemplate
from aigym_db.model.migration import Part
from aigym_db.model.sql import Script
from aigym_db.project.config import Project
from aigym_db.project.order import ordered

ROLES = "schema/_roles.sql.j2"
"""Runs as the role that connects, because it creates the owner."""
_ROLE = re.compile(r"^--[ \t]*role:[ \t]*(.*?)[ \t]*$", re.MULTILINE)


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
            role=role_of(script),
        )
        for script in scripts
    )


def role_of(script: Script) -> str | None:
    """Return the role of a template: `none` for the role that connects, None for the owner.

    The roles run as the role that connects; another template states it in its first line, `-- role: none`.
    Raise BadTemplate (AIG-P004) if the line is elsewhere or names another role.
    """
    line = _ROLE.search(script.source.text)
    if line is None:
        return "none" if script.source.file == ROLES else None
    if line.start() > 0:
        raise BadTemplate(
            f"{script.source.file} states its role below its first line.",
            place=script.source.place(line.start()),
            hint="Move the line to the top of the template.",
        )
    if line[1] != "none":
        raise BadTemplate(
            f"{script.source.file} cannot run as `{line[1]}`.",
            place=script.source.place(line.start(1)),
            hint="Write `-- role: none` to run it as the role that connects, or remove the line.",
        )
    return "none"
