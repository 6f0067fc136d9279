"""`aigym-db new NAME`."""

from __future__ import annotations

import click

from aigym_db.cli.app import App, pass_app
from aigym_db.errors import BadCommandLine


@click.command(short_help="Draft the next migration from what the templates have and history lacks.")
@click.argument("name", metavar="NAME", nargs=-1, required=True)
@click.option("--empty", is_flag=True, help="An empty file to fill in.")
@click.option(
    "--only", metavar="PATH", multiple=True, help="Just this template, or this folder of them; repeatable."
)
@pass_app
def command(app: App, name: tuple[str, ...], empty: bool, only: tuple[str, ...]) -> None:
    """Writes migrations/NNNN_name.sql, up and down, after both ran on a throwaway server.

    It drafts what is added and what can be replaced: functions, views, policies, triggers, grants, comments.
    A changed table is refused with the list of differences; write that by hand, with --empty.
    """
    if empty and only:
        raise BadCommandLine("`--empty` and `--only` exclude each other.", hint="Give one of them.")
    if not empty and not app.project.has_state:
        raise BadCommandLine(
            "This project holds migrations alone: there is no schema/ to draft from.", hint="Use `--empty`."
        )
    from aigym_db.draft.new import new

    made = [app.project.show(path) for path in new(app.project, " ".join(name), empty=empty, only=only)]
    app.report.must_finish = True
    for path in made:
        app.report.say(f"wrote {path}")
    app.report.say("Read it, then: aigym-db lint, aigym-db test, aigym-db freeze.")
    app.report.data["files"] = made
