"""`aigym-db doctor`."""

from __future__ import annotations

import platform
from collections.abc import Callable
from contextlib import closing

import click

from aigym_db.cli.app import App, pass_app
from aigym_db.errors import AigymError, NoProject, ProjectError, ServerUnfit
from aigym_db.report import console, machine


@click.command(short_help="Whether everything aigym-db needs is there.")
@pass_app
def command(app: App) -> int:
    """Looks at this machine, the project and the database, and says what is missing and how to get it."""
    looks: tuple[tuple[str, Callable[[App], str]], ...] = (
        ("machine", _machine),
        ("server", _server),
        ("project", _project),
        ("migrations", _migrations),
        ("database", _database),
    )
    status = 0
    found: dict[str, str] = {}
    for name, look in looks:
        try:
            found[name] = look(app)
        except NoProject as refusal:
            # Without a project there is nothing more to look at.
            app.report.refused(refusal)
            found[name] = refusal.message
            status = status or refusal.exit_status
            break
        except AigymError as refusal:
            app.report.say(f"{console.bad('problem')} {name}")
            app.report.say(console.error(refusal))
            app.report.findings.append(machine.as_finding(refusal))
            status = status or refusal.exit_status
            found[name] = refusal.message
        else:
            app.report.say(f"{console.good('ok')}      {name:11} {found[name]}")
    app.report.data["checks"] = found
    return status


def _machine(app: App) -> str:
    return f"Python {platform.python_version()}, {platform.system()} {platform.machine()}"


def _server(app: App) -> str:
    from aigym_db.database.capability import probe
    from aigym_db.database.connect import connect
    from aigym_db.database.servers import throwaway

    with throwaway(_wanted(app)) as server, connect(server.dsn(), autocommit=True) as connection:
        found = probe(connection)
        extensions = ", ".join(sorted(found.extensions_available)) or "none"
        icu = "with" if found.icu else "without"
        return f"{server.name} starts: PostgreSQL {found.major}.{found.minor} {icu} ICU; {extensions}"


def _wanted(app: App) -> str:
    try:
        return app.project.server
    except ProjectError:
        # Which is told where it is the project's turn.
        return app.server or "embedded"


def _project(app: App) -> str:
    project = app.project
    if not project.has_state:
        return f"{project.root}: migrations alone"
    from aigym_db.project.order import ordered

    return f"{project.root}: {len(ordered(project))} files of schema/ and policies/ render and have an order"


def _migrations(app: App) -> str:
    from aigym_db.project.lock_file import frozen
    from aigym_db.project.migrations import migrations

    files = migrations(app.project)
    return f"{len(files)} migrations, {len(frozen(app.project, files))} of them frozen"


def _database(app: App) -> str:
    from aigym_db.database.capability import probe
    from aigym_db.database.connect import connect, shown

    try:
        dsn = app.dsn()
    except ServerUnfit:
        return "the local server does not run; `aigym-db up` starts it"
    with closing(connect(dsn, autocommit=True)) as connection:
        found = probe(connection)
    kind = "superuser" if found.superuser else "no superuser"
    reads = ", read-only" if found.read_only or found.standby else ""
    return f"{shown(dsn)}: PostgreSQL {found.major}.{found.minor}, {kind}{reads}"
