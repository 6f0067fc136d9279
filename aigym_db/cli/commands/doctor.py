"""`aigym-db doctor`."""

from __future__ import annotations

import platform
from collections.abc import Callable
from contextlib import closing

import click

from aigym_db.cli.app import App, pass_app
from aigym_db.errors import AigymError, NoProject, ProjectError, ServerUnfit
from aigym_db.model.wording import counted
from aigym_db.report import console, machine


@click.command(short_help="Check the machine, the server, the project and the database.")
@pass_app
def command(app: App) -> int:
    """Check this machine, the project and the database, and print what is missing and how to provide it."""
    from aigym_db.report.documents import DoctorResults

    checks: tuple[tuple[str, Callable[[App], str]], ...] = (
        ("machine", _machine),
        ("server", _server),
        ("project", _project),
        ("migrations", _migrations),
        ("database", _database),
    )
    status = 0
    results: dict[str, str] = {}
    for name, check in checks:
        try:
            results[name] = check(app)
        except NoProject as error:
            # The remaining checks need a project.
            app.report.add_error(error)
            results[name] = error.message
            status = status or error.exit_status
            break
        except AigymError as error:
            app.report.print_line(f"{console.bad('problem')} {name}")
            app.report.print_line(console.error(error))
            app.report.findings.append(machine.as_finding(error))
            status = status or error.exit_status
            results[name] = error.message
        else:
            app.report.print_line(f"{console.good('ok')}      {name:11} {results[name]}")
    app.report.add_results(lambda: DoctorResults(checks=results))
    return status


def _machine(app: App) -> str:
    return f"Python {platform.python_version()}, {platform.system()} {platform.machine()}"


def _server(app: App) -> str:
    from aigym_db.database.capability import probe
    from aigym_db.database.connect import connect
    from aigym_db.database.servers.throwaway import throwaway

    with throwaway(_server_name(app)) as server, connect(server.dsn(), autocommit=True) as connection:
        facts = probe(connection)
        extensions = ", ".join(sorted(facts.extensions_available)) or "none"
        icu = "with" if facts.icu else "without"
        return f"{server.name} starts: PostgreSQL {facts.major}.{facts.minor} {icu} ICU; {extensions}"


def _server_name(app: App) -> str:
    try:
        return app.project.server
    except ProjectError:
        # Reported by the check of the project.
        return app.server or "embedded"


def _project(app: App) -> str:
    project = app.project
    if not project.has_state:
        return f"{project.root}: migrations only"
    from aigym_db.project.order import ordered

    files = counted(len(ordered(project)), "file")
    return f"{project.root}: {files} of schema/ and policies/ can be rendered and sorted"


def _migrations(app: App) -> str:
    from aigym_db.project.lock_file import frozen
    from aigym_db.project.migrations import migrations

    files = migrations(app.project)
    return f"{counted(len(files), 'migration')}, {len(frozen(app.project, files))} frozen"


def _database(app: App) -> str:
    from aigym_db.database.capability import probe
    from aigym_db.database.connect import connect, shown

    try:
        dsn = app.dsn()
    except ServerUnfit:
        return "the local server is not running; `aigym-db up` starts it"
    with closing(connect(dsn, autocommit=True)) as connection:
        facts = probe(connection)
    kind = "superuser" if facts.superuser else "not a superuser"
    reads = ", read-only" if facts.read_only or facts.standby else ""
    return f"{shown(dsn)}: PostgreSQL {facts.major}.{facts.minor}, {kind}{reads}"
