"""Options of several commands: `--lock-wait` and `--targets`."""

from __future__ import annotations

from pathlib import Path

import click


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
