"""`aigym-db verify`."""

from __future__ import annotations

import click

from aigym_db.cli.app import App, pass_app
from aigym_db.errors import ServerUnfit
from aigym_db.report import console


@click.command(short_help="Prove that files, history, state and database agree.")
@click.argument("names", metavar="[CHECK]…", nargs=-1)
@pass_app
def command(app: App, names: tuple[str, ...]) -> int:
    """Replays history on a throwaway server and looks at the database, which is never changed.

    Tampering; state = history; up, down, up; the whole chain as a plain owner; row security and integrity.
    CHECK is a check, its code or a group of them. Exit status 5 when history was touched or something
    drifted, 1 for other findings.
    """
    from aigym_db.verify.verify import verify

    try:
        dsn: str | None = app.dsn()
    except ServerUnfit:
        dsn = None
    done = verify(
        app.project, dsn=dsn, names=names, progress=lambda name: app.report.progress(f"verify {name}")
    )
    app.report.found(*done.findings)
    for name, why in done.skipped.items():
        app.report.say(console.dim(f"skipped {name}: {why}"))
    count = len(done.ran)
    some = len(done.findings)
    app.report.say(
        f"{count} check{'s' if count != 1 else ''}, {some or 'no'} finding{'s' if some != 1 else ''}."
    )
    app.report.data |= {"ran": list(done.ran), "skipped": done.skipped}
    wrong = [finding for finding in done.findings if finding.level != "note"]
    if any(finding.code.startswith("HIST") for finding in wrong):
        return 5
    return 1 if wrong else 0
