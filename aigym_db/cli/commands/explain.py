"""`aigym-db explain CODE`."""

from __future__ import annotations

import inspect

import click

from aigym_db.cli.app import App, pass_app
from aigym_db.errors import BadCommandLine, pages
from aigym_db.model.wording import similar
from aigym_db.report import console


@click.command(short_help="Show the page of an error, lint rule or check.")
@click.argument("code", required=False)
@pass_app
def command(app: App, code: str | None) -> None:
    """Show the page of an error (AIG-T001), a lint rule (LOCK01) or a check (HIST05, HLT01), by code or name.

    The page of a rule or check begins with its level. Without CODE, list all codes.
    """
    from aigym_db.report.documents import ExplainResults

    pages_by_code, code_by_name = _pages()
    if code is None:
        for known, page in sorted(pages_by_code.items()):
            title, _, text = page.partition("\n\n")
            name = title.split()[1]
            line = f"{known:9} {name}: {' '.join(text.partition(chr(10) * 2)[0].split())}"
            app.report.print_line(console.wrapped(line, indent=10))
        app.report.add_results(lambda: ExplainResults(codes=sorted(pages_by_code)))
        return
    wanted = code_by_name.get(code.lower(), code.upper())
    if wanted not in pages_by_code:
        near = similar(code, [*pages_by_code, *code_by_name])
        raise BadCommandLine(
            f"There is no code {code}.",
            hint=f"Write `{near[0]}`." if near else "Run `aigym-db explain` for the list.",
        )
    app.report.print_line(console.wrapped(pages_by_code[wanted].rstrip()))
    app.report.add_results(lambda: ExplainResults(code=wanted, page=pages_by_code[wanted]))


def _pages() -> tuple[dict[str, str], dict[str, str]]:
    """Return the page by code, and the code by name."""
    from aigym_db.access.pages import PAGES
    from aigym_db.health.check import health_checks, health_page
    from aigym_db.lint import rule as lint
    from aigym_db.verify import check as verify

    page_by_code, code_by_name = {}, {}
    for error in pages():
        text = inspect.cleandoc(error.__doc__ or "")
        page_by_code[error.code], code_by_name[error.name] = (
            f"{error.code} {error.name}\n\n{text}\n",
            error.code,
        )
    for code, (name, text) in PAGES.items():
        page_by_code[code], code_by_name[name] = f"{code} {name}\n\n{text.strip()}\n", code
    for rule in lint.rules():
        page_by_code[rule.code], code_by_name[rule.name] = lint.page(rule), rule.code
    for check in verify.checks():
        page_by_code[check.code], code_by_name[check.name] = verify.page(check), check.code
    for health in health_checks():
        page_by_code[health.code], code_by_name[health.name] = health_page(health), health.code
    return page_by_code, code_by_name
