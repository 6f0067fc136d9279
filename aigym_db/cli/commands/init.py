"""`aigym-db init DIR`."""

from __future__ import annotations

import shutil
from importlib.resources import as_file, files
from pathlib import Path

import click

from aigym_db.cli.app import App, pass_app
from aigym_db.errors import BadCommandLine


@click.command(short_help="Create a project in a folder.")
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path))
@pass_app
def command(app: App, directory: Path) -> None:
    """Create a project in DIR: settings, one table with its policies and access matrix, seeds, a CI file.

    `up`, `lint` and `test` pass in the new project. DIR must not exist or be empty.
    """
    from aigym_db.report.documents import InitResults

    target = app.directory / directory
    if target.is_file() or (target.is_dir() and any(target.iterdir())):
        raise BadCommandLine(
            f"{directory} exists and is not an empty folder.", hint="Specify a folder that does not exist."
        )
    try:
        target.mkdir(parents=True, exist_ok=True)
        (target / ".gitignore").touch()
        with as_file(files("aigym_db") / "starter") as starter:
            shutil.copytree(starter, target, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    except OSError as error:
        raise BadCommandLine(
            f"{directory} cannot be written: {error.strerror or error}.",
            hint="Choose a folder with write permission.",
        ) from None
    app.report.require_completion()
    created = sorted(path.relative_to(target).as_posix() for path in target.rglob("*") if path.is_file())
    app.report.print_line(f"Created a project in {directory} ({len(created)} files). Next:")
    app.report.print_line(f"  cd {directory}")
    app.report.print_line("  aigym-db up      # create a local database: migrate, seed, verify")
    app.report.print_line("  aigym-db test    # compare the access of every role with the access matrix")
    app.report.add_results(lambda: InitResults(directory=str(directory), files=created))
