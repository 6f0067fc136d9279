"""`aigym-db server start|stop|url|psql|gc`."""

from __future__ import annotations

import os
from typing import NoReturn

import click

from aigym_db.cli import local
from aigym_db.cli.app import App, pass_app
from aigym_db.report import console


@click.group(short_help="The project's own development server.")
def command() -> None:
    """The PostgreSQL server in .aigym-db/: nothing to install; it runs until it is stopped."""


@command.command()
@pass_app
def start(app: App) -> None:
    """Starts the server; does nothing when it runs already."""
    dsn = local.local_dsn(app.project, app.server, start=True)
    app.report.must_finish = True
    app.report.say(f"The local server is running.\n{dsn}")
    app.report.data["dsn"] = dsn


@command.command()
@pass_app
def stop(app: App) -> None:
    """Stops the server; what it holds stays."""
    stopped = local.server(app.project, app.server).stop()
    app.report.must_finish = True
    app.report.say("The local server is stopped." if stopped else "The local server was not running.")
    app.report.data["stopped"] = stopped


@command.command()
@pass_app
def gc(app: App) -> None:
    """Removes what killed servers left behind, and cached clusters that are no longer used."""
    from aigym_db.database.servers import gc as tidy

    removed = tidy()
    app.report.must_finish = True
    app.report.say(f"{console.counted(len(removed), 'folder')} removed." if removed else "Nothing to remove.")
    app.report.data["removed"] = [str(folder) for folder in removed]


@command.command()
@click.option("--tcp", is_flag=True, help="For clients that know no sockets; the URL then holds a password.")
@pass_app
def url(app: App, tcp: bool) -> None:
    """Prints the DSN of the development database."""
    dsn = local.local_dsn(app.project, app.server)
    if tcp:
        dsn = local.server(app.project, app.server).tcp_url(local.DATABASE)
    app.report.print(f"{dsn}\n")
    app.report.data["dsn"] = dsn


@command.command(context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@pass_app
def psql(app: App, arguments: tuple[str, ...]) -> NoReturn:
    """Opens psql on the development database; ARGUMENTS are psql's own."""
    dsn = local.local_dsn(app.project, app.server)
    own = local.server(app.project, app.server).server().programs.program("psql")
    os.execv(own, ["psql", dsn, *arguments])
