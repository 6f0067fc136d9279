"""`aigym-db explain CODE`."""

from __future__ import annotations

import difflib
import inspect

import click

from aigym_db.cli.app import App, pass_app
from aigym_db.errors import BadCommandLine, pages


@click.command(short_help="What an error, a lint rule or a check means, and what to do.")
@click.argument("code", required=False)
@pass_app
def command(app: App, code: str | None) -> None:
    """The page of an error (AIG-T001), a lint rule (LOCK01, index-without-concurrently) or a check (HIST05).

    Without CODE, the list of all of them.
    """
    known, names = _known()
    if code is None:
        for each, page in sorted(known.items()):
            app.report.say(f"{each:9} {page.splitlines()[0]}")
        app.report.data["codes"] = sorted(known)
        return
    found = names.get(code.lower(), code.upper())
    if found not in known:
        near = difflib.get_close_matches(code, [*known, *names], 1)
        raise BadCommandLine(
            f"There is no code {code}.",
            hint=f"Write `{near[0]}`." if near else "Run `aigym-db explain` for the list.",
        )
    app.report.say(f"{found}\n\n{known[found]}")
    app.report.data |= {"code": found, "page": known[found]}


def _known() -> tuple[dict[str, str], dict[str, str]]:
    """The page of each code, and the code of each name."""
    from aigym_db.access.pages import PAGES
    from aigym_db.lint.registry import rules
    from aigym_db.verify.registry import checks

    found = {kind.code: inspect.cleandoc(kind.__doc__ or "") for kind in pages()}
    names = {}
    for code, (name, page) in PAGES.items():
        found[code], names[name] = f"{name}\n\n{page}", code
    for rule in rules():
        found[rule.code], names[rule.name] = f"{rule.name}\n\n{rule.text.strip()}", rule.code
    for check in checks():
        found[check.code], names[check.name] = f"{check.name}\n\n{check.text.strip()}", check.code
    return found, names
