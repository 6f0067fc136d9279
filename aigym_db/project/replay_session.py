"""The session in which files run on temporary servers, where the owner may have to be created first."""

from __future__ import annotations

import re
from dataclasses import replace

from aigym_db.model.session import MigrationSession
from aigym_db.project.config import Project


def replay_session(project: Project) -> MigrationSession:
    """Return the settings of sessions that replay files: those of the project.

    Replays create the owner if no migration or template does: in production an administrator may have
    created that role and made it the owner of the database.
    """
    session = project.session
    return session if session.owner is None else replace(session, create_owner=not _creates(project))


def _creates(project: Project) -> bool:
    """Return True if a file contains CREATE ROLE or CREATE USER for the owner, or for a computed name."""
    owner = re.escape(project.owner or "")
    # A name is computed by format('create role %I'), by concatenation, or by Jinja.
    creation = re.compile(
        rf"\bcreate\s+(?:role|user|group)\s*(?:\s\"?{owner}\"?(?![\w$])|%|'|\|\||\{{\{{)".encode(),
        re.IGNORECASE,
    )
    return any(
        creation.search(path.read_bytes())
        for folder, pattern in (("migrations", "*.sql"), ("schema", "*.j2"), ("policies", "*.j2"))
        for path in sorted((project.root / folder).rglob(pattern))
    )
