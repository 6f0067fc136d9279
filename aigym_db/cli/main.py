"""The command line: finds the commands, runs one, turns refusals into messages and an exit status."""

from __future__ import annotations

import gc
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Literal

import click

from aigym_db.cli.app import App, taken_variables
from aigym_db.errors import AigymError, BadCommandLine, UnusableFile
from aigym_db.report import streams
from aigym_db.report.result import Report
from aigym_db.version import __version__

COMMANDS = Path(__file__).parent / "commands"


class Commands(click.Group):
    """Every module in `cli/commands` is a command; it is imported when it is called or listed.

    What a command works with it imports in its body: `--help` lists them all and needs none of that.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(path.stem for path in COMMANDS.glob("[a-z]*.py"))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if not (COMMANDS / f"{cmd_name}.py").is_file():
            return None
        command = import_module(f"aigym_db.cli.commands.{cmd_name}").command
        assert isinstance(command, click.Command)
        return command


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="aigym-db")
@click.option(
    "-C", "directory", type=click.Path(path_type=Path), default=".", help="Run as if in this folder."
)
@click.option(
    "--database", metavar="DSN", help="The database to work on; else DATABASE_URL, PG*, or the local one."
)
@click.option(
    "--server",
    metavar="NAME",
    help="Where throwaway databases run: embedded, embedded:16, system:15, path:/opt/pg17.",
)
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", help="For people or programs."
)
@click.pass_context
def cli(
    ctx: click.Context,
    directory: Path,
    database: str | None,
    server: str | None,
    form: Literal["text", "json"],
) -> None:
    """Keeps a PostgreSQL database true to its description, and proves what each role can do."""
    report = ctx.ensure_object(Report)
    report.format = form
    if database is not None and not database.strip():
        raise BadCommandLine(
            "`--database` is empty, so nobody knows which database is meant.",
            hint="Give a DSN; a variable of the shell that should hold it may not be set.",
        )
    ctx.obj = App(directory, database, server, report, ctx.with_resource(taken_variables()))


def run(arguments: Sequence[str] | None = None) -> None:
    """The entry point of `aigym-db`; never returns."""
    streams.prepare()
    code = status(list(sys.argv[1:] if arguments is None else arguments))
    # What is left goes with the process: taking it apart object by object would last 25 ms.
    gc.freeze()
    sys.exit(code)


def status(arguments: list[str]) -> int:
    """Runs one command line and returns its exit status; README, "Exit status"."""
    report = Report("json" if _wants_json(arguments) else "text")
    name = next((word for word in arguments if (COMMANDS / f"{word}.py").is_file()), "")
    try:
        code = _told(arguments, report)
        report.close(name, code)
    except BrokenPipeError:
        # The reader went away (`| head`): nobody is left to tell, and Python must not try to at exit.
        streams.silence(sys.stdout)
        return 141
    except UnusableFile as refusal:
        report.refused(refusal)
        return refusal.exit_status
    return code


def _told(arguments: list[str], report: Report) -> int:
    """The exit status of a command line, after a person was told why it is not 0."""
    try:
        return _run(arguments, report)
    except AigymError as refusal:
        report.refused(refusal)
        return refusal.exit_status
    except click.exceptions.NoArgsIsHelpError as asked:
        report.alert(asked.format_message())
        return 2
    except BrokenPipeError:
        raise
    except (KeyboardInterrupt, click.Abort):
        # On a terminal `^C` stands at the beginning of the line.
        report.alert("\nInterrupted." if report.err.isatty() else "Interrupted.")
        return 130
    except Exception as error:
        understood = _understood(error)
        if understood is None:
            raise
        report.refused(understood)
        return understood.exit_status


def _understood(error: Exception) -> AigymError | None:
    """What the system or the server said where nobody expected it; None for a mistake of ours."""
    if isinstance(error, OSError):
        what = error.filename if isinstance(error.filename, str) else "A file"
        return UnusableFile(
            f"{what} cannot be used: {error.strerror or error}.",
            hint="Check that it is there, that you may read and write it, and that the disk is not full.",
        )
    psycopg = sys.modules.get("psycopg")
    if psycopg is not None and isinstance(error, psycopg.Error):
        from aigym_db.database.failure import explain_error

        return explain_error(error)
    return None


def _run(arguments: list[str], report: Report) -> int:
    try:
        with cli.make_context("aigym-db", arguments, obj=report) as context:
            result = cli.invoke(context)
    except click.exceptions.Exit as done:
        return done.exit_code
    except click.exceptions.NoArgsIsHelpError:
        raise
    except click.ClickException as wrong:
        where = wrong.ctx.command_path if isinstance(wrong, click.UsageError) and wrong.ctx else "aigym-db"
        raise BadCommandLine(wrong.format_message(), hint=f"Run `{where} --help`.") from None
    return result if isinstance(result, int) else 0


def _wants_json(arguments: list[str]) -> bool:
    pairs = zip(arguments, [*arguments[1:], ""], strict=False)
    return any(
        word == "--format=json" or (word == "--format" and following == "json") for word, following in pairs
    )
