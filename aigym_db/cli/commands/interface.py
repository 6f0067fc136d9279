"""`aigym-db interface`."""

from __future__ import annotations

import click

from aigym_db.cli.app import App, pass_app
from aigym_db.errors import BadCommandLine

LANGUAGES = ("typescript", "python")


@click.command(short_help="Print or record what programs can depend on in a schema.")
@click.argument("schema", metavar="SCHEMA")
@click.option("--write", is_flag=True, help="Write schema/SCHEMA/_interface.txt, which `verify` compares.")
@click.option("--types", type=click.Choice(LANGUAGES), help="Print the types of a client in this language.")
@pass_app
def command(app: App, schema: str, write: bool, types: str | None) -> None:
    """Print the interface of SCHEMA: relations, columns, functions, and the privileges of roles.

    It is read from the migrated database on a temporary server, or from the one that --database names.
    """
    from aigym_db.clients import python, typescript
    from aigym_db.database.interface import read_interface
    from aigym_db.project.interface_files import interface_file, recorded_text
    from aigym_db.report.documents import InterfaceResults
    from aigym_db.verify.context import VerifyContext

    if write and types:
        raise BadCommandLine("`--write` and `--types` exclude each other.", hint="Specify one of them.")
    dsn = app.completed(app.database) if app.database else None
    with VerifyContext(app.project, dsn) as context:
        interface = read_interface(context.database, schema)
    if not interface.lines():
        raise BadCommandLine(
            f"The schema {schema} does not exist or contains no relation or function.",
            hint="Write its name as in the database, for example api_v1.",
        )
    text = recorded_text(interface)
    if write:
        path = interface_file(app.project, schema)
        if not path.parent.is_dir():
            raise BadCommandLine(
                f"The folder {app.project.show(path.parent)} does not exist.",
                hint="Only the interface of a schema of this project can be recorded.",
            )
        path.write_text(text, encoding="utf-8")
        app.report.print_line(f"wrote {app.project.show(path)}: {len(interface.lines())} facts.")
    elif types:
        generators = {"typescript": typescript, "python": python}
        app.report.print(generators[types].declarations(interface))
    else:
        app.report.print(text)
    app.report.add_results(lambda: InterfaceResults(schema=schema, facts=list(interface.lines())))
