"""`aigym-db server start|stop|url|psql|gc`."""

from __future__ import annotations

import os
from typing import NoReturn

import click

from aigym_db.cli import local
from aigym_db.cli.app import App, pass_app
from aigym_db.cli.shared_options import CommandGroup
from aigym_db.model.wording import counted


@click.group(cls=CommandGroup, short_help="Control the local development server.")
def command() -> None:
    """Control the PostgreSQL server in .aigym-db/. It runs until it is stopped."""


@command.command()
@pass_app
def start(app: App) -> None:
    """Start the server if it is not running."""
    from aigym_db.report.documents import ServerResults

    dsn = local.local_dsn(app.project, app.server, start=True)
    app.report.require_completion()
    app.report.print_line(f"The local server is running.\n{dsn}")
    app.report.add_results(lambda: ServerResults(dsn=dsn))


@command.command()
@pass_app
def stop(app: App) -> None:
    """Stop the server; its data is kept."""
    from aigym_db.report.documents import ServerResults

    stopped = local.server(app.project, app.server).stop()
    app.report.require_completion()
    app.report.print_line("The local server is stopped." if stopped else "The local server was not running.")
    app.report.add_results(lambda: ServerResults(stopped=stopped))


@command.command()
@click.option(
    "--missing-projects",
    is_flag=True,
    help="Also stop local servers of missing project folders and delete their data (default: list them).",
)
@pass_app
def gc(app: App, missing_projects: bool) -> None:
    """Remove folders of killed servers and unused caches.

    These are the folders of killed temporary servers, and cached clusters that are no longer used, also those
    of other projects on this machine. As root, the data of a local server may be in /var/lib/aigym-db instead
    of the project; it is deleted with --missing-projects only.
    """
    from aigym_db.database.servers.cleanup import gc as collect
    from aigym_db.database.servers.cleanup import orphaned, remove_orphaned
    from aigym_db.report.documents import ServerResults

    removed = list(collect())
    orphans = orphaned()
    for home in orphans:
        word = "deleting" if missing_projects else "kept"
        app.report.print_line(f"{word} {home.folder}: local server of the missing folder {home.project}")
    app.report.require_completion()
    if missing_projects:
        removed += remove_orphaned(orphans)
    app.report.print_line(f"{counted(len(removed), 'folder')} removed." if removed else "Nothing to remove.")
    if orphans and not missing_projects:
        app.report.print_line("`aigym-db server gc --missing-projects` deletes the data that was kept.")
    kept = [] if missing_projects else [str(home.folder) for home in orphans]
    app.report.add_results(lambda: ServerResults(removed=[str(folder) for folder in removed], kept=kept))


@command.command()
@click.option("--tcp", is_flag=True, help="Print a TCP address with a password instead of a Unix socket.")
@pass_app
def url(app: App, tcp: bool) -> None:
    """Print the connection string of the development database."""
    from aigym_db.report.documents import ServerResults

    dsn = local.local_dsn(app.project, app.server)
    if tcp:
        dsn = local.server(app.project, app.server).tcp_url(local.DATABASE)
    app.report.print(f"{dsn}\n")
    app.report.add_results(lambda: ServerResults(dsn=dsn))


@command.command(context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@pass_app
def psql(app: App, arguments: tuple[str, ...]) -> NoReturn:
    """Start psql on the development database.

    ARGUMENTS are passed to psql.
    """
    dsn = local.local_dsn(app.project, app.server)
    own = local.server(app.project, app.server).server().programs.program("psql")
    os.execv(own, ["psql", dsn, *arguments])
