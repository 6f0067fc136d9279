"""`aigym-db explain CODE`."""

from __future__ import annotations

import inspect

import click

from aigym_db.cli.app import App, pass_app
from aigym_db.errors import BadCommandLine, pages


@click.command(short_help="What an error or a lint rule means, and what to do.")
@click.argument("code", required=False)
@pass_app
def command(app: App, code: str | None) -> None:
    """The page of an error (AIG-T001) or a lint rule (LOCK01, index-without-concurrently).

    Without CODE, the list of all of them.
    """
    from aigym_db.lint.registry import rules

    known = {kind.code: inspect.cleandoc(kind.__doc__ or "") for kind in pages()}
    known |= {rule.code: f"{rule.name}\n\n{rule.text}" for rule in rules()}
    names = {rule.name: rule.code for rule in rules()}
    if code is None:
        for each, page in sorted(known.items()):
            app.report.say(f"{each:10} {page.splitlines()[0]}")
        app.report.data["codes"] = sorted(known)
        return
    found = names.get(code, code.upper())
    if found not in known:
        raise BadCommandLine(f"There is no code {code}.", hint="Run `aigym-db explain` for the list.")
    app.report.say(f"{found}\n\n{known[found]}")
    app.report.data |= {"code": found, "page": known[found]}
