"""`aigym-db lint`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from aigym_db.cli.app import App, pass_app
from aigym_db.errors import BadCommandLine, BadConfig
from aigym_db.model.finding import Finding, Level
from aigym_db.model.sql import Script

_LEVELS: dict[str, Level | None] = {"error": "error", "warning": "warning", "note": "note", "off": None}


@click.command(short_help="What is unsafe in the migrations, the state, or any SQL file.")
@click.argument("files", metavar="[FILE]…", nargs=-1, type=click.Path(path_type=Path))
@pass_app
def command(app: App, files: tuple[Path, ...]) -> int:
    """Judges every migration and the state of the project, or just FILEs, which need no project.

    Findings have file, line, column and a caret. Exit status 1 when there is an error or a warning. A
    statement is excused by a comment above it: `-- allow <rule>: <reason>`.
    """
    found = _of_files(app, files) if files else _of_project(app)
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


def _of_project(app: App) -> tuple[Finding, ...]:
    from aigym_db.lint.engine import lint_project
    from aigym_db.lint.registry import rules
    from aigym_db.project.migrations import migrations

    project = app.project
    known = {rule.name for rule in rules()}
    for name, level in project.lint.items():
        if name not in known or level not in _LEVELS:
            raise BadConfig(
                f"`lint` has {name} = {level!r}.",
                hint=f"Give a rule (`aigym-db explain` lists them) one of: {', '.join(_LEVELS)}.",
            )
    state: tuple[Script, ...] = ()
    if project.has_state:
        from aigym_db.project.order import ordered

        state = ordered(project)
    found = lint_project(migrations(project), state)
    levels = [_LEVELS[project.lint.get(one.rule, one.level)] for one in found]
    return tuple(replace(one, level=level) for one, level in zip(found, levels, strict=True) if level)
