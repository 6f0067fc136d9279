"""Words for a terminal: colour only where it can be seen, carets under what is meant."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from typing import TextIO

import click

from aigym_db.errors import AigymError
from aigym_db.model.finding import Finding
from aigym_db.model.source import Place

_COLOUR = {"error": "red", "warning": "yellow", "note": "cyan"}
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_WIDTH = 110
"""Longer lines of a file are cut around the caret."""


def interactive(stream: TextIO) -> bool:
    """Whether bars and colours are welcome: a terminal, and neither NO_COLOR nor CI."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and not os.environ.get("CI")


def write(stream: TextIO, text: str) -> None:
    """A line, without colour codes where nobody would see colours."""
    stream.write((text if interactive(stream) else click.unstyle(text)) + "\n")
    stream.flush()


def good(text: str) -> str:
    return click.style(text, fg="green")


def bad(text: str) -> str:
    return click.style(text, fg="red", bold=True)


def dim(text: str) -> str:
    return click.style(text, dim=True)


def bold(text: str) -> str:
    return click.style(text, bold=True)


def error(refusal: AigymError) -> str:
    """A refusal as people read it: the sentence, the place with a caret, the detail, the way out."""
    message = printable(refusal.message)
    lines = [f"{click.style('error', fg='red', bold=True)} {dim(refusal.code)} {bold(message)}"]
    if refusal.place:
        lines += caret(refusal.place)
    lines += [f"  {printable(line)}" for line in refusal.detail.splitlines()]
    if refusal.hint:
        lines.append(f"  {click.style('hint:', fg='cyan')} {refusal.hint}")
    return "\n".join(lines)


def lost(why: OSError) -> str:
    """What to say at the end of a command that went on although its output could not be written."""
    warning = click.style("warning", fg=_COLOUR["warning"], bold=True)
    return (
        f"{warning} {bold(f'Some of the output could not be written: {why.strerror or why}.')}\n"
        "  The work went on to its end, and the exit status is its own.\n"
        f"  {click.style('hint:', fg='cyan')} Run `aigym-db status` to see what is applied."
    )


def finding(found: Finding) -> str:
    """A finding as people read it."""
    level = click.style(found.level, fg=_COLOUR[found.level], bold=True)
    first, *more = [printable(line) for line in found.message.splitlines()] or [""]
    lines = [f"{level} {dim(found.code)} {bold(first)} {dim(f'[{found.rule}]')}"]
    if found.place:
        lines += caret(found.place)
    lines += [f"  {line}" for line in more]
    if found.help:
        lines.append(f"  {click.style('help:', fg='cyan')} {found.help}")
    return "\n".join(lines)


def counted(count: int, noun: str) -> str:
    """A number with its noun: `1 table`, `2 tables`."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def columns(rows: Sequence[tuple[str, ...]]) -> list[str]:
    """A table as lines, the first of its rows as its head."""
    widths = [max(width(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [
        "  ".join(cell + " " * (most - width(cell)) for cell, most in zip(row, widths, strict=True))
        for row in rows
    ]
    return [bold(lines[0].rstrip()), *(line.rstrip() for line in lines[1:])]


def caret(place: Place) -> list[str]:
    """The place, its line, and a caret under its column."""
    lines = [f"  {click.style('-->', fg='blue')} {printable(str(place))}"]
    if place.text.strip():
        text, column = printable(place.text), min(place.column, len(place.text) + 1)
        if len(text) > _WIDTH:
            cut = max(0, min(column - _WIDTH // 2, len(text) - _WIDTH))
            text, column = "…" + text[cut + 1 : cut + _WIDTH], column - cut
        number = str(place.line)
        lines.append(f"  {dim(number + ' |')} {text}")
        lines.append(
            f"  {' ' * len(number)} {dim('|')} {' ' * width(text[: column - 1])}{click.style('^', fg='red')}"
        )
    return lines


def printable(text: str) -> str:
    """Text of a file or a server without what a terminal would obey instead of show; as long as before."""
    return _CONTROLS.sub(lambda found: " " if found[0] == "\t" else "\N{REPLACEMENT CHARACTER}", text)


def width(text: str) -> int:
    """How many columns of a terminal a text takes; East Asian and emoji take two, combining marks none."""
    return sum(_columns(letter) for letter in text)


def _columns(letter: str) -> int:
    import unicodedata

    if unicodedata.combining(letter) or unicodedata.category(letter) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(letter) in ("W", "F") else 1
