"""`aigym-db up`."""

from __future__ import annotations

import click

from aigym_db.cli.app import App, pass_app
from aigym_db.report import console


@click.command(short_help="The main job: local server, migrate, seed, verify, access answers.")
@pass_app
def command(app: App) -> int:
    """Brings the project's own local database up to date and proves it, whatever DATABASE_URL says.

    Done again with nothing changed, it looks and says so.
    """
    from aigym_db.cli.up_steps import nothing_changed, remember, steps
    from aigym_db.database.servers import gc

    app.refuse_database("the project's own local one")
    app.is_local = True
    app.report.must_finish = True
    dsn = app.dsn(start=True)
    if nothing_changed(app, dsn):
        app.report.say("Up to date: nothing has changed since it was last verified.")
    else:
        for name, step in steps(app, dsn):
            app.report.progress(name)
            said = step()
            if said is None:
                app.report.say(f"{console.bad('failed')}  {name}")
                return 5 if any(one.code.startswith("HIST") for one in app.report.findings) else 1
            app.report.say(f"{console.good('ok')}      {name:9} {said}")
        remember(app, dsn)
        gc()
    app.report.say()
    app.report.say(console.bold(dsn))
    app.report.say()
    app.report.say("Next:")
    app.report.say("  aigym-db server psql        look around")
    app.report.say("  aigym-db test --mutants     break every policy on purpose; an answer must notice")
    app.report.say(
        "  aigym-db new NAME           draft a migration from what you changed in schema/ or policies/"
    )
    app.report.data["dsn"] = dsn
    return 0
