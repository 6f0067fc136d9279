"""`aigym-db lint`."""

from __future__ import annotations

from pathlib import Path

import click

from aigym_db.cli.app import App, pass_app
from aigym_db.errors import BadCommandLine
from aigym_db.model.finding import Finding


@click.command(short_help="What is unsafe in the migrations, the state, or any SQL file.")
@click.argument("files", metavar="[FILE]…", nargs=-1, type=click.Path(path_type=Path))
@pass_app
def command(app: App, files: tuple[Path, ...]) -> int:
    """Judges every migration and the state of the project, or just FILEs, which need no project.

    Findings have file, line, column and a caret. Exit status 1 when there is an error or a warning. A
    statement is excused by a comment above it: `-- allow <rule>: <reason>`.
    """
    from aigym_db.api import lint

    found = _of_files(app, files) if files else lint(app.project)
    app.report.found(*found)
    counts = {level: sum(one.level == level for one in found) for level in ("error", "warning", "note")}
    words = ", ".join(
        f"{count} {level}{'s' if count != 1 else ''}" for level, count in counts.items() if count
    )
    app.report.say(f"{words}." if words else "No findings.")
    app.report.data["counts"] = counts
    return 1 if counts["error"] or counts["warning"] else 0


def _of_files(app: App, files: tuple[Path, ...]) -> tuple[Finding, ...]:
    from aigym_db.lint.engine import lint_text

    found: list[Finding] = []
    for file in files:
        try:
            text = (app.directory / file).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
            raise BadCommandLine(f"{file} cannot be read: {why}.", hint="Name SQL files in UTF-8.") from None
        found += lint_text(text, file.as_posix())
    return tuple(found)
