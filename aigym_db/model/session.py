"""The session in which the files of a project run."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MigrationSession:
    """The settings under which `migrate` and every replay execute files, so both produce the same catalog."""

    owner: str | None = None
    """The role that files run as by default; None is the role that connects."""
    search_path: tuple[str, ...] = ("public",)
    """The schemas in which names without a schema are looked up; new objects go to the first."""
