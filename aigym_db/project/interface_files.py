"""The recorded interfaces: `schema/<schema>/_interface.txt`, one fact a line."""

from __future__ import annotations

from pathlib import Path

from aigym_db.model.interface import Interface
from aigym_db.model.source import Source
from aigym_db.project.config import Project
from aigym_db.project.text import normalised

_NAME = "_interface.txt"


def recorded_interfaces(project: Project) -> dict[str, Source]:
    """Return the recorded interface files by schema; a schema without a file is absent."""
    return {
        path.parent.name: normalised(path.read_bytes(), project.show(path))
        for path in sorted((project.root / "schema").glob(f"*/{_NAME}"))
    }


def interface_file(project: Project, schema: str) -> Path:
    """Return the path of the file that records the interface of a schema."""
    return project.root / "schema" / schema / _NAME


def recorded_text(interface: Interface) -> str:
    """Return the content of the file."""
    return "".join(f"{line}\n" for line in interface.lines())
