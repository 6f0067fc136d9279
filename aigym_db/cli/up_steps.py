"""The steps of `up`, and the digest that detects that nothing has changed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

from aigym_db.cli.app import App
from aigym_db.cli.options import options, watched
from aigym_db.database.connect import connect
from aigym_db.database.ledger import applied
from aigym_db.database.migration_session import open_session
from aigym_db.migrate.apply import migrate
from aigym_db.migrate.history import digest
from aigym_db.model.wording import counted
from aigym_db.project.lock_file import frozen
from aigym_db.project.migrations import migrations
from aigym_db.seeds.load import load
from aigym_db.seeds.plan import configured_seed_sets, seed_files
from aigym_db.version import __version__

Step = Callable[[], str | None]
"""Returns a summary, or None if it reported findings."""

_INPUTS = ("migrations", "schema", "policies", "seeds")


def steps(app: App, dsn: str) -> Iterator[tuple[str, Step]]:
    """Yield the steps of `up` after the start of the server, in order.

    Raise BadConfig (AIG-P002) before the first step if a seed set of the settings has no folder.
    """
    sets = configured_seed_sets(app.project)
    yield "migrate", lambda: _migrate(app, dsn)
    for name in sets:
        yield "seed", lambda name=name: _seed(app, dsn, name)  # type: ignore[misc]
    yield "verify", lambda: _verify(app, dsn)
    if (app.project.root / "policies" / "actors.toml").is_file():
        yield "access", lambda: _access(app)


def nothing_changed(app: App, dsn: str) -> bool:
    """True if files, settings and ledger are those of the last successful `up`."""
    try:
        verified = json.loads(_digest_file(app).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return bool(verified == _digests(app, dsn))


def remember(app: App, dsn: str) -> None:
    """Store the digest of the verified files, settings and ledger."""
    _digest_file(app).write_text(json.dumps(_digests(app, dsn)), encoding="utf-8")


def _digest_file(app: App) -> Path:
    return app.project.local / "verified.json"


def _digests(app: App, dsn: str) -> dict[str, str]:
    sums = hashlib.sha256(f"{__version__}\n{app.project}\n".encode())
    for folder in _INPUTS:
        for path in sorted((app.project.root / folder).rglob("*")):
            if path.is_file():
                sums.update(f"{app.project.show(path)}\n".encode() + path.read_bytes())
    with closing(connect(dsn, autocommit=True)) as connection:
        return {"files": sums.hexdigest(), "ledger": digest(applied(connection)), "database": dsn}


def _migrate(app: App, dsn: str) -> str:
    files = migrations(app.project)
    with watched(app, files, "up") as watching:
        settled = options(app, dsn, frozen(app.project, files))
        done = migrate(dsn, files, options=settled, observer=watching)
    return f"{len(done)} applied, {len(files)} in all"


def _seed(app: App, dsn: str, name: str) -> str:
    session = open_session(dsn, app.project.session, lock_timeout_ms=app.project.lock_timeout_ms)
    with closing(session) as connection:
        loaded = load(connection, name, seed_files(app.project, name), app.project.owner)
    return f"{name}: {sum(file.rows_written for file in loaded)} rows written"


def _verify(app: App, dsn: str) -> str | None:
    from aigym_db.verify.verify import exit_status, verify

    done = verify(app.project, dsn=dsn, progress=lambda name: app.report.progress(f"verify {name}"))
    app.report.add_findings(*done.findings)
    if exit_status(done.findings):
        return None
    return f"{len(done.ran)} checks: history = state = database, every migration can be rolled back"


def _access(app: App) -> str | None:
    from aigym_db.access.report import access_report

    with access_report(app.project, cache=True) as result:
        app.report.add_findings(*result.findings)
        if result.findings:
            return None
        tables, actors = counted(result.counts.tables, "table"), counted(result.counts.actors, "actor")
        functions = counted(result.counts.functions, "function")
        return (
            f"{result.counts.cells:,} cells ({tables} × {actors}) and {result.counts.calls:,} calls "
            f"({functions} × {actors}) match"
        )
