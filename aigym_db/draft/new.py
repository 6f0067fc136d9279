"""Write the next migration file: drafted from the templates and tested on a throwaway server, or empty."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from aigym_db.database.catalog import snapshot
from aigym_db.database.migration_session import Connection, open_session
from aigym_db.database.replay import built, create_owner, creates_owner, replay, replayed
from aigym_db.database.servers.server import TEMPLATE
from aigym_db.database.servers.throwaway import throwaway
from aigym_db.draft.draft import Draft, draft
from aigym_db.errors import BadCommandLine, CannotDraft, StatementFailed
from aigym_db.model.catalog import Catalog, Difference
from aigym_db.model.migration import Migration, Part, file_name
from aigym_db.model.source import Source
from aigym_db.project.config import Project
from aigym_db.project.lock_file import frozen
from aigym_db.project.migrations import migrations, parse
from aigym_db.project.order import ordered
from aigym_db.project.state import ROLES, parts

_EMPTY = "-- Write what changes here, one statement after the other.\n"
_EMPTY_DOWN = "-- Write the exact inverse here, or add `irreversible: <reason>` to the marker.\n"
_NOTHING = (
    "-- Nothing to roll back: the objects belong to the whole server, and other databases may use them.\n"
)
_SHOWN = 30
_MAY_REMAIN = ("role", "membership", "setting")
"""Kinds of object that a down does not drop: all databases of the server share them."""


def new(project: Project, name: str, *, empty: bool = False, only: tuple[str, ...] = ()) -> tuple[Path, ...]:
    """Write the differences between templates and migrations as new files, and return their paths.

    The result is usually one file; more than one if statements run as another role or are non-transactional.
    Before the files are written they run on a throwaway server: the up must produce the database that the
    templates describe, and the down must restore the previous one. `only` limits the draft to these templates
    or folders; `empty` writes a file without statements.

    Raise CannotDraft (AIG-P011) if a difference cannot be drafted or the draft fails on the throwaway server,
    BadCommandLine (AIG-P013) if the name is invalid, and the errors of invalid templates or migrations.
    """
    slug = _slug(name)
    known = migrations(project)
    # If the newest file is missing, its number would be assigned again; the lock file detects that.
    frozen(project, known)
    first = len(known) + 1
    if empty:
        text = file_text(first, slug, Draft(_EMPTY, _EMPTY_DOWN, ()))
        return (_write(project, first, slug, text),)
    drafted = _drafted(project, known, slug, first, only)
    return tuple(
        _write(project, migration.version, migration.name, migration.up.source.text) for migration in drafted
    )


def file_text(version: int, slug: str, draft: Draft) -> str:
    """Return the text of a migration file: heading, markers with options, and both parts."""
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
    scripts, session = ordered(project), project.session
    partitions = project.partition_schema
    with throwaway(project.server) as server:
        state = built(server, parts(scripts), session, partition_schema=partitions)
    ups = tuple(migration.up for migration in known)
    with (
        replayed(project.server, ups, session) as server,
        open_session(server.dsn(TEMPLATE), session) as connection,
    ):
        if project.owner and creates_owner(state):
            create_owner(connection, project.owner)
        history = snapshot(connection, partition_schema=partitions, all_roles=True)
        past = "\n".join(part.text for part in ups)
        drafts = draft(scripts, state, history, owner=project.owner, past=past, only=only)
        drafted = tuple(
            _read(first + number, _name(slug, item, drafts), item) for number, item in enumerate(drafts)
        )
        _prove(connection, project, drafted, history, None if only else state)
    return drafted


def _prove(
    connection: Connection,
    project: Project,
    drafted: tuple[Migration, ...],
    history: Catalog,
    state: Catalog | None,
) -> None:
    """Run up, then down, and compare the catalogs.

    Raise CannotDraft (AIG-P011) if the catalogs differ from `state` after the up, or from `history` after the
    down.
    """
    _run(connection, project, [migration.up for migration in drafted])
    after = snapshot(connection, partition_schema=project.partition_schema, all_roles=True)
    if state is not None:
        _require_equal(
            after.difference(state), "The drafted up does not produce the database of the templates"
        )
    _run(connection, project, [migration.down for migration in reversed(drafted) if migration.down])
    restored = snapshot(connection, partition_schema=project.partition_schema, all_roles=True)
    remaining = [item for item in restored.difference(history) if item.key.kind not in _MAY_REMAIN]
    _require_equal(remaining, "The drafted down does not restore the previous database")


def _run(connection: Connection, project: Project, parts: list[Part]) -> None:
    try:
        replay(connection, parts, owner=project.owner)
    except StatementFailed as failure:
        line = failure.place.text if failure.place else ""
        raise CannotDraft(
            f"PostgreSQL rejects the draft: {failure.message.partition(': ')[2]}.",
            detail=f"{line}\n{failure.detail}",
            hint="Write the migration by hand: `aigym-db new NAME --empty`.",
        ) from failure


def _require_equal(differences: Sequence[Difference], message: str) -> None:
    if differences:
        raise CannotDraft(
            f"{message}: {len(differences)} differences.",
            detail="\n".join(map(str, differences[:_SHOWN])),
            hint="Write the migration by hand: `aigym-db new NAME --empty`.",
        )


def _read(version: int, slug: str, draft: Draft) -> Migration:
    text = file_text(version, slug, draft)
    return parse(Source(f"migrations/{file_name(version, slug)}", text), version, slug)


def _name(slug: str, draft: Draft, drafts: tuple[Draft, ...]) -> str:
    if len(drafts) == 1:
        return slug
    if draft.role:
        return f"{slug}_roles" if draft.made_from == (ROLES,) else f"{slug}_role_{draft.role}"
    return slug if draft.transaction else f"{slug}_indexes"


def _slug(name: str) -> str:
    slug = re.sub(r"[\s_-]+", "_", name.strip().lower())
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,99}", slug):
        raise BadCommandLine(
            f"`{name}` is not a valid migration name.",
            hint="Use a few words of letters and digits, as in `aigym-db new add session rating`.",
        )
    return slug


def _write(project: Project, version: int, slug: str, text: str) -> Path:
    folder = project.root / "migrations"
    folder.mkdir(exist_ok=True)
    path = folder / file_name(version, slug)
    with path.open("x", encoding="utf-8", newline="\n") as file:
        file.write(text)
    return path
