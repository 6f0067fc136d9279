"""`aigym-db lint`."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import click

from aigym_db.cli.app import App, pass_app
from aigym_db.errors import BadCommandLine
from aigym_db.model.finding import Finding, Level
from aigym_db.model.wording import counted


@click.command(short_help="Check migrations, the state, or SQL files for unsafe statements.")
@click.argument("files", metavar="[FILE]…", nargs=-1, type=click.Path(path_type=Path))
@pass_app
def command(app: App, files: tuple[Path, ...]) -> int:
    """Check every migration and the state of the project, or only FILEs, which need no project.

    The exit status is 1 if there is an error or a warning. To suppress a finding, write a comment above the
    statement: `-- allow <rule>: <reason>`.
    """
    from aigym_db.api import lint
    from aigym_db.report.documents import LintCounts, LintResults

    findings = _of_files(app, files) if files else lint(app.project)
    app.report.add_findings(*findings)
    levels = Counter(finding.level for finding in findings)
    counts = LintCounts(error=levels["error"], warning=levels["warning"], note=levels["note"])
    order: tuple[Level, ...] = ("error", "warning", "note")
    summary = ", ".join(counted(levels[level], level) for level in order if levels[level])
    app.report.print_line(f"{summary}." if summary else "No findings.")
    app.report.add_results(lambda: LintResults(counts=counts))
    return 1 if counts["error"] or counts["warning"] else 0


def _of_files(app: App, files: tuple[Path, ...]) -> tuple[Finding, ...]:
    from aigym_db.lint.engine import lint_text

    findings: list[Finding] = []
    for file in files:
        try:
            text = (app.directory / file).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
            raise BadCommandLine(
                f"Could not read {file}: {reason}.", hint="Specify SQL files in UTF-8."
            ) from None
        findings += lint_text(text, file.as_posix())
    return tuple(findings)
