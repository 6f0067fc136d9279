"""The files of a seed set."""

from __future__ import annotations

from aigym_db.errors import BadSeed
from aigym_db.model.source import Source
from aigym_db.project.config import Project, unknown_setting, wrong_setting
from aigym_db.project.text import normalised

ALLOWED_IN_PRODUCTION = frozenset({"reference"})
"""Sets that contain what the application itself requires; all others are test data."""


def seed_sets(project: Project) -> tuple[str, ...]:
    """Return the names of the project's seed sets, the folders in `seeds/`, sorted."""
    folder = project.root / "seeds"
    return tuple(sorted(path.name for path in folder.iterdir() if path.is_dir())) if folder.is_dir() else ()


def configured_seed_sets(project: Project) -> tuple[str, ...]:
    """Return the seed sets of the setting `seeds`, in order.

    Raise BadConfig (AIG-P002) with the place of a name that has no folder in `seeds/`. Only commands that
    load the sets call this: an image for production may contain none of them.
    """
    sets = seed_sets(project)
    for number, name in enumerate(project.seeds):
        if name not in sets:
            message = f"The setting `seeds` names {name}, and there is no folder seeds/{name}."
            if not sets:
                raise wrong_setting(
                    project, message, "seeds", number, hint=f"Create the folder seeds/{name}."
                )
            raise unknown_setting(project, message, name, sets, "seeds", number)
    return project.seeds


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
