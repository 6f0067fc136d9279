"""`aigym-db verify`."""

from __future__ import annotations

import click

from aigym_db.cli.app import App, pass_app
from aigym_db.errors import ServerUnfit
from aigym_db.model.wording import counted
from aigym_db.report import console


@click.command(short_help="Check that files, history, templates and database agree.")
@click.argument("names", metavar="[CHECK]…", nargs=-1)
@pass_app
def command(app: App, names: tuple[str, ...]) -> int:
    """Replay the history on a temporary server and compare; the database itself is never changed.

    Checks: tampering; state = history; up, down, up; the history as a non-superuser owner; row security and
    integrity. CHECK is the name, code or group of a check. Exit status 5 if the history was edited or the
    database has drifted (HIST01 to HIST04), 1 for other findings.
    """
    from aigym_db.report.documents import VerifyResults
    from aigym_db.verify.verify import exit_status, verify

    try:
        dsn: str | None = app.dsn()
    except ServerUnfit:
        dsn = None
    done = verify(
        app.project, dsn=dsn, names=names, progress=lambda name: app.report.progress(f"verify {name}")
    )
    app.report.add_findings(*done.findings)
    for name, reason in done.skipped.items():
        app.report.print_line(console.dim(f"skipped {name}: {reason}"))
    count = len(done.findings)
    findings = counted(count, "finding") if count else "no findings"
    app.report.print_line(f"{counted(len(done.ran), 'check')}, {findings}.")
    app.report.add_results(lambda: VerifyResults(ran=list(done.ran), skipped=done.skipped))
    return exit_status(done.findings)
