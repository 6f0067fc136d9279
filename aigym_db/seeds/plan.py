"""The files of a seed set."""

from __future__ import annotations

from aigym_db.errors import BadSeed
from aigym_db.model.source import Source
from aigym_db.project.config import Project
from aigym_db.project.text import normalised

ALLOWED_IN_PRODUCTION = frozenset({"reference"})
"""Sets that contain what the application itself requires; all others are test data."""


def seed_sets(project: Project) -> tuple[str, ...]:
    """Return the names of the project's seed sets, the folders in `seeds/`, sorted."""
    folder = project.root / "seeds"
    return tuple(sorted(path.name for path in folder.iterdir() if path.is_dir())) if folder.is_dir() else ()


def seed_files(project: Project, name: str) -> tuple[Source, ...]:
    """Return the `.sql` files of a seed set, sorted by name.

    Raise BadSeed (AIG-P014) if the set does not exist or has no file.
    """
    sets = seed_sets(project)
    if name not in sets:
        raise BadSeed(
            f"There is no seed set `{name}`.",
            hint=f"Choose one of: {', '.join(sets)}." if sets else f"Create the folder seeds/{name}.",
        )
    paths = sorted((project.root / "seeds" / name).glob("*.sql"))
    if not paths:
        raise BadSeed(
            f"seeds/{name} contains no .sql file.", hint="Add one; files run in the order of their names."
        )
    return tuple(normalised(path.read_bytes(), project.show(path)) for path in paths)
