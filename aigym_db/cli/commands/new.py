"""`aigym-db new NAME`."""

from __future__ import annotations

import click

from aigym_db.cli.app import App, pass_app
from aigym_db.errors import BadCommandLine


@click.command(short_help="Draft a migration from the difference between templates and history.")
@click.argument("name", metavar="NAME", nargs=-1, required=True)
@click.option("--empty", is_flag=True, help="Create a file with empty up and down parts.")
@click.option(
    "--only", metavar="PATH", multiple=True, help="Use only this template or folder. Can be repeated."
)
@pass_app
def command(app: App, name: tuple[str, ...], empty: bool, only: tuple[str, ...]) -> None:
    """Write migrations/NNNN_name.sql after executing its up and down parts on a temporary server.

    A draft covers objects that are added or can be replaced: functions, views, policies, triggers, grants,
    comments. For a changed table the differences are listed; write that migration by hand, with --empty.
    """
    if empty and only:
        raise BadCommandLine("`--empty` and `--only` exclude each other.", hint="Specify one of them.")
    if not empty and not app.project.has_state:
        raise BadCommandLine(
            "This project contains migrations only: there is no schema/ to draft from.", hint="Use `--empty`."
        )
    from aigym_db.draft.new import new
    from aigym_db.report.documents import NewResults

    files = [app.project.show(path) for path in new(app.project, " ".join(name), empty=empty, only=only)]
    app.report.require_completion()
    for path in files:
        app.report.print_line(f"wrote {path}")
    app.report.print_line("Review it, then run: aigym-db lint, aigym-db test, aigym-db freeze.")
    app.report.add_results(lambda: NewResults(files=files))
