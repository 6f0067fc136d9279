"""`aigym-db init DIR`."""

from __future__ import annotations

import shutil
from importlib.resources import as_file, files
from pathlib import Path

import click

from aigym_db.cli.app import App, pass_app
from aigym_db.errors import BadCommandLine


@click.command(short_help="Make a new project in a folder.")
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path))
@pass_app
def command(app: App, directory: Path) -> None:
    """Makes a project in DIR: settings, one table with its policies and answers, seeds, a CI file.

    `up`, `lint` and `test` pass in it at once. DIR may exist when it is empty.
    """
    target = app.directory / directory
    if target.is_file() or (target.is_dir() and any(target.iterdir())):
        raise BadCommandLine(
            f"{directory} exists and is not an empty folder.", hint="Name a folder that does not exist yet."
        )
    try:
        target.mkdir(parents=True, exist_ok=True)
        (target / ".gitignore").touch()
        with as_file(files("aigym_db") / "starter") as starter:
            shutil.copytree(starter, target, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    except OSError as error:
        raise BadCommandLine(
            f"{directory} cannot be written: {error.strerror or error}.",
            hint="Choose a folder you may write to.",
        ) from None
    app.report.must_finish = True
    made = sorted(path.relative_to(target).as_posix() for path in target.rglob("*") if path.is_file())
    app.report.say(f"Made a project in {directory} ({len(made)} files). Next:")
    app.report.say(f"  cd {directory}")
    app.report.say("  aigym-db up      # a local database: migrated, seeded, verified")
    app.report.say("  aigym-db test    # who may do what, asked of the database itself")
    app.report.data |= {"directory": str(directory), "files": made}
