"""The options that commands share: how long to wait for another runner, and which databases."""

from __future__ import annotations

from pathlib import Path

import click


def _seconds(ctx: click.Context, param: click.Parameter, value: float | None) -> float | None:
    # Not `value < 0`: that lets `nan` through, with which a wait would last for ever.
    if value is not None and not value >= 0:
        raise click.BadParameter(f"{value:g} is not a number of seconds from 0 on.", ctx, param)
    return value


lock_wait_option = click.option(
    "--lock-wait",
    type=float,
    callback=_seconds,
    metavar="SECONDS",
    help="How long to wait for another runner; else for ever.",
)
targets_option = click.option(
    "--targets",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The databases and tenant schemas of this file, several at a time.",
)
