"""`aigym-db health`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from aigym_db.cli.app import App, pass_app
from aigym_db.errors import BadCommandLine, NoProject

if TYPE_CHECKING:
    from aigym_db.health.examine import Health
    from aigym_db.project.config import Project
    from aigym_db.report.documents import HealthResults


@click.command(short_help="Examine a running database: partitions, indexes, transactions.")
@click.argument("names", metavar="[CHECK]…", nargs=-1)
@click.option("--prometheus", is_flag=True, help="Print metrics in Prometheus's text format (default: text).")
@pass_app
def command(app: App, names: tuple[str, ...], prometheus: bool) -> int:
    """Examine the health of a database. Read-only; a standby or a database without a ledger is sufficient.

    CHECK is the name or code of a check; `aigym-db explain CODE` prints its page. A check whose evidence or
    privilege is missing is `unknown`. Exit status: 0 ok or unknown, 1 warning, 2 critical.
    """
    from aigym_db.api import health as examined
    from aigym_db.health.examine import exit_status
    from aigym_db.report import health as text

    if prometheus and app.report.format == "json":
        raise BadCommandLine(
            "`--prometheus` and `--format json` exclude each other.", hint="Specify one of them."
        )
    health = examined(app.dsn(), _project(app), checks=names)
    app.report.findings.extend(text.findings(health))
    if prometheus:
        from aigym_db.report.prometheus import exposition

        app.report.print(exposition(health))
    else:
        for line in text.lines(health):
            app.report.print_line(line)
    app.report.add_results(lambda: _results(health))
    return exit_status(result.severity for result in health.results)


def _project(app: App) -> Project | None:
    """Return the project of the folder, or None: `health` needs none."""
    try:
        return app.project
    except NoProject:
        return None


def _results(health: Health) -> HealthResults:
    from aigym_db.report import entries
    from aigym_db.report.documents import HealthResults
    from aigym_db.report.health import version

    return HealthResults(
        database=health.database,
        server_version=version(health.version),
        checks=entries.health_checks(health.results),
    )
