"""`aigym-db render`."""

from __future__ import annotations

import click

from aigym_db.cli.app import App, pass_app
from aigym_db.errors import BadCommandLine


@click.command(short_help="Print schema and policies as one SQL script.")
@pass_app
def command(app: App) -> None:
    """Print schema/ and policies/ as SQL, in an order in which the objects can be created."""
    if not app.project.has_state:
        raise BadCommandLine(
            "This project contains migrations only: there is no schema/ to render.",
            hint="Describe the database in schema/, or read migrations/.",
        )
    from aigym_db.project.order import state_sql
    from aigym_db.report.documents import RenderResults

    text = state_sql(app.project)
    app.report.print(text)
    app.report.add_results(lambda: RenderResults(sql=text))
