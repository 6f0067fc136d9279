"""The entry point: runs one command and turns errors into messages and an exit status."""

from __future__ import annotations

import gc
import signal
import sys
from collections.abc import Sequence
from importlib import import_module
from itertools import pairwise, takewhile
from pathlib import Path
from typing import Literal

import click

from aigym_db.cli.app import App, taken_variables
from aigym_db.cli.shared_options import CommandGroup
from aigym_db.errors import AigymError, BadCommandLine, UnusableFile
from aigym_db.project.config import SERVER_NAMES, is_server_name
from aigym_db.report import streams
from aigym_db.report.result import Report
from aigym_db.version import __version__

COMMANDS = Path(__file__).parent / "commands"


class Commands(CommandGroup):
    """The modules of `cli/commands`, one command each, imported when called or listed.

    A command imports the rest of the package in its body, so that `--help` stays fast.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(path.stem for path in COMMANDS.glob("[a-z]*.py"))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if not (COMMANDS / f"{cmd_name}.py").is_file():
            return None
        command = import_module(f"aigym_db.cli.commands.{cmd_name}").command
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name, command, rest = super().resolve_command(ctx, args)
        if name is not None:
            ctx.ensure_object(Report).begin(name)
        return name, command, rest


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="aigym-db")
@click.option(
    "-C",
    "directory",
    type=click.Path(path_type=Path),
    default=".",
    help="Folder to run in (default: the current one).",
)
@click.option(
    "--database",
    metavar="DSN",
    help="Connection string (default: DATABASE_URL, PG*, else the local database).",
)
@click.option(
    "--server",
    metavar="NAME",
    help="PostgreSQL for temporary servers: embedded (default), embedded:16, system:15, path:/opt/pg17, "
    "container:postgres:17.",
)
@click.option(
    "--format",
    type=click.Choice(["text", "json"]),
    # Read by `_requested_format`, also from command lines that click rejects.
    expose_value=False,
    help="Output format (default: text).",
)
@click.pass_context
def cli(ctx: click.Context, directory: Path, database: str | None, server: str | None) -> None:
    """Migrations, schema verification and access tests for PostgreSQL."""
    if database is not None and not database.strip():
        raise BadCommandLine(
            "`--database` is empty.",
            hint="Specify a connection string; check that the shell variable is set.",
        )
    if server is not None and not is_server_name(server):
        raise BadCommandLine(f"There is no server called `{server}`.", hint=f"Use {SERVER_NAMES}.")
    variables = ctx.with_resource(taken_variables())
    ctx.obj = App(directory, database, server, ctx.ensure_object(Report), variables)


def run(arguments: Sequence[str] | None = None) -> None:
    """Run the command line of this process and exit with its status.

    SIGTERM and SIGHUP interrupt it like SIGINT, unless they are ignored.
    """
    streams.prepare()
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, signal.default_int_handler)
    code = status(list(sys.argv[1:] if arguments is None else arguments))
    # The process ends here; collecting its objects one by one would take 25 ms.
    gc.freeze()
    sys.exit(code)


def status(arguments: list[str]) -> int:
    """Run one command line and return its exit status."""
    report = Report(_requested_format(arguments))
    try:
        code = _reported(arguments, report)
        report.close(code)
    except BrokenPipeError:
        # The reader closed the pipe (`| head`); Python must not flush stdout at exit.
        streams.silence(sys.stdout)
        return 141
    except UnusableFile as error:
        report.add_error(error)
        return error.exit_status
    return code


def _reported(arguments: list[str], report: Report) -> int:
    """Return the exit status of a command line, after printing its error."""
    try:
        return _run(arguments, report)
    except AigymError as error:
        report.add_error(error)
        return error.exit_status
    except click.exceptions.NoArgsIsHelpError as usage:
        report.alert(usage.format_message())
        return 2
    except BrokenPipeError:
        raise
    except (KeyboardInterrupt, click.Abort):
        # A terminal prints `^C` at the beginning of the line.
        report.alert("\nInterrupted." if report.err.isatty() else "Interrupted.")
        return 130
    except Exception as error:
        known = _known(error)
        if known is None:
            raise
        report.add_error(known)
        return known.exit_status


def _known(error: Exception) -> AigymError | None:
    """Return an error of the operating system or the server as AigymError; None for a bug of aigym-db."""
    if isinstance(error, OSError):
        file = error.filename if isinstance(error.filename, str) else "A file"
        return UnusableFile(
            f"{file} cannot be used: {error.strerror or error}.",
            hint="Check that it exists, its permissions, and the free space of the disk.",
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


def _requested_format(arguments: list[str]) -> Literal["text", "json"]:
    """Return the format of the last `--format`; text if the value is invalid, which click reports.

    Arguments after `--` are not options.
    """
    options = takewhile(lambda word: word != "--", arguments)
    values = [
        following if word == "--format" else word.removeprefix("--format=")
        for word, following in pairwise([*options, ""])
        if word == "--format" or word.startswith("--format=")
    ]
    return "json" if values[-1:] == ["json"] else "text"
