"""Options of several commands, `--lock-wait` and `--targets`, and groups of commands."""

from __future__ import annotations

from pathlib import Path

import click

from aigym_db.errors import BadCommandLine


class CommandGroup(click.Group):
    """A group whose error about an unknown command names the most similar one."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the name, the command and the remaining arguments.

        Raise BadCommandLine (AIG-P013) if there is no such command, but one with a similar name.
        """
        if self.get_command(ctx, args[0]) is None:
            from aigym_db.model.wording import similar

            if near := similar(args[0], self.list_commands(ctx)):
                raise BadCommandLine(f"No such command '{args[0]}'.", hint=f"Write `{near[0]}`.")
        return super().resolve_command(ctx, args)


def _seconds(ctx: click.Context, param: click.Parameter, value: float | None) -> float | None:
    # Not `value < 0`: that accepts `nan`, with which the wait would never end.
    if value is not None and not value >= 0:
        raise click.BadParameter(f"{value:g} is not a number of seconds ≥ 0.", ctx, param)
    return value


VERSION = click.IntRange(min=0)
"""The type of options whose value is the number of a migration; 0 is the state before the first."""

lock_wait_option = click.option(
    "--lock-wait",
    type=float,
    callback=_seconds,
    metavar="SECONDS",
    help="Maximum time to wait for another aigym-db run, in seconds (default: no limit).",
)
targets_option = click.option(
    "--targets",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Run on the databases and tenant schemas that FILE lists (default: one database).",
)
