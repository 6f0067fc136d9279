"""The files of a seed set."""

from __future__ import annotations

from aigym_db.errors import BadSeed
from aigym_db.model.source import Source
from aigym_db.project.config import Project
from aigym_db.project.text import normalised

ALLOWED_IN_PRODUCTION = frozenset({"reference"})
"""Sets that hold what the product itself needs; every other set is made-up data."""


def seed_sets(project: Project) -> tuple[str, ...]:
    """The names of the project's seed sets: the folders in `seeds/`."""
    folder = project.root / "seeds"
    return tuple(sorted(path.name for path in folder.iterdir() if path.is_dir())) if folder.is_dir() else ()


def seed_files(project: Project, name: str) -> tuple[Source, ...]:
    """The SQL files of a set, in the order of their names.

    Raises BadSeed (AIG-P014) when there is no such set or it is empty.
    """
    known = seed_sets(project)
    if name not in known:
        raise BadSeed(
            f"There is no seed set `{name}`.",
            hint=f"Choose one of: {', '.join(known)}." if known else f"Make the folder seeds/{name}.",
        )
    paths = sorted((project.root / "seeds" / name).glob("*.sql"))
    if not paths:
        raise BadSeed(
            f"seeds/{name} holds no .sql file.", hint="Add one; files run in the order of their names."
        )
    return tuple(normalised(path.read_bytes(), project.show(path)) for path in paths)
