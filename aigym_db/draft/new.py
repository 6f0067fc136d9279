"""Writes the next migration file: drafted from the templates and proven on a throwaway server, or empty."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from aigym_db.database.catalog import snapshot
from aigym_db.database.migration_session import Connection, open_session
from aigym_db.database.replay import built, replay, replayed
from aigym_db.database.servers import TEMPLATE, throwaway
from aigym_db.draft.draft import Draft, draft
from aigym_db.errors import BadCommandLine, CannotDraft, StatementFailed
from aigym_db.model.catalog import Catalog, Difference
from aigym_db.model.migration import Migration, Part
from aigym_db.model.source import Source
from aigym_db.project.config import Project
from aigym_db.project.lock_file import frozen
from aigym_db.project.migrations import migrations, parse
from aigym_db.project.order import ordered
from aigym_db.project.state import parts

_EMPTY = "-- Write what changes here, one statement after the other.\n"
_EMPTY_DOWN = "-- Write the exact inverse here, or say `irreversible: <reason>` behind the marker.\n"
_NOTHING = (
    "-- Nothing to undo: what this file makes belongs to the whole server, and other databases may use it.\n"
)
_SHOWN = 30
_OF_SERVER = ("role", "membership", "setting")
"""What a down leaves: it belongs to the whole server, and other databases may use it."""


def new(project: Project, name: str, *, empty: bool = False, only: tuple[str, ...] = ()) -> tuple[Path, ...]:
    """Writes what the templates have and the migrations lack as the next file, and returns the path of each.

    Usually one file; several when part of it runs as another role or outside a transaction. Before anything
    is written the files ran on a throwaway server: up made the database the templates describe, down took
    exactly that back. With `only` (templates, or folders of them) the other templates are left for later;
    with `empty` a file to fill in.

    Raises CannotDraft (AIG-P011), BadCommandLine (AIG-P013) for a name that cannot be one, and whatever is
    wrong with templates or migrations.
    """
    slug = _slug(name)
    known = migrations(project)
    # A file that is missing would give its number to the new one.
    frozen(project, known)
    first = len(known) + 1
    if empty:
        text = written(first, slug, Draft(_EMPTY, _EMPTY_DOWN, ()))
        return (_write(project, first, slug, text),)
    drafted = _drafted(project, known, slug, first, only)
    return tuple(_write(project, one.version, one.name, one.up.source.text) for one in drafted)


def written(version: int, slug: str, draft: Draft) -> str:
    """The text of a migration file."""
    options = (f" role:{draft.role}" if draft.role else "") + (
        "" if draft.transaction else " transaction:false"
    )
    origin = f"-- from: {', '.join(draft.made_from)}\n" if draft.made_from else ""
    return (
        f"-- {version:04d} {slug.replace('_', ' ')}\n{origin}"
        f"-- migrate:up{options}\n\n{draft.up}\n"
        f"-- migrate:down{options}\n\n{draft.down or _NOTHING}"
    )


def _drafted(
    project: Project, known: tuple[Migration, ...], slug: str, first: int, only: tuple[str, ...]
) -> tuple[Migration, ...]:
    scripts = ordered(project)
    partitions = project.partition_schema
    with throwaway(project.server) as server:
        state = built(server, parts(scripts), project.session, partition_schema=partitions)
    ups = tuple(migration.up for migration in known)
    with (
        replayed(project.server, ups, project.session) as server,
        open_session(server.dsn(TEMPLATE), project.session) as connection,
    ):
        history = snapshot(connection, partition_schema=partitions, all_roles=True)
        past = "\n".join(part.text for part in ups)
        drafts = draft(scripts, state, history, owner=project.owner, past=past, only=only)
        found = tuple(
            _read(first + number, _name(slug, one, drafts), one) for number, one in enumerate(drafts)
        )
        _prove(connection, project, found, history, None if only else state)
    return found


def _prove(
    connection: Connection,
    project: Project,
    found: tuple[Migration, ...],
    history: Catalog,
    state: Catalog | None,
) -> None:
    """Runs up, then down, and compares the catalogs."""
    _run(connection, project, [migration.up for migration in found])
    after = snapshot(connection, partition_schema=project.partition_schema, all_roles=True)
    if state is not None:
        _refuse(after.difference(state), "After the drafted up, the database is not what the templates say")
    _run(connection, project, [one.down for one in reversed(found) if one.down])
    back = snapshot(connection, partition_schema=project.partition_schema, all_roles=True)
    left = [one for one in back.difference(history) if one.key.kind not in _OF_SERVER]
    _refuse(left, "The drafted down does not take back what its up does")


def _run(connection: Connection, project: Project, some: list[Part]) -> None:
    try:
        replay(connection, some, owner=project.owner)
    except StatementFailed as refusal:
        line = refusal.place.text if refusal.place else ""
        raise CannotDraft(
            f"PostgreSQL refuses the draft: {refusal.message.partition(': ')[2]}.",
            detail=f"{line}\n{refusal.detail}",
            hint="Write the migration by hand: `aigym-db new NAME --empty`.",
        ) from refusal


def _refuse(differences: Sequence[Difference], message: str) -> None:
    if differences:
        raise CannotDraft(
            f"{message}: {len(differences)} differences.",
            detail="\n".join(map(str, differences[:_SHOWN])),
            hint="Write the migration by hand: `aigym-db new NAME --empty`.",
        )


def _read(version: int, slug: str, draft: Draft) -> Migration:
    text = written(version, slug, draft)
    return parse(Source(f"migrations/{version:04d}_{slug}.sql", text), version, slug)


def _name(slug: str, one: Draft, drafts: tuple[Draft, ...]) -> str:
    if len(drafts) == 1:
        return slug
    return f"{slug}_roles" if one.role else slug if one.transaction else f"{slug}_indexes"


def _slug(name: str) -> str:
    slug = re.sub(r"[\s_-]+", "_", name.strip().lower())
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,99}", slug):
        raise BadCommandLine(
            f"`{name}` cannot be the name of a migration.",
            hint="Use a few words of letters and digits, as in `aigym-db new add session rating`.",
        )
    return slug


def _write(project: Project, version: int, slug: str, text: str) -> Path:
    folder = project.root / "migrations"
    folder.mkdir(exist_ok=True)
    path = folder / f"{version:04d}_{slug}.sql"
    with path.open("x", encoding="utf-8", newline="\n") as file:
        file.write(text)
    return path
