"""Formatting of text: colours on a terminal, places with carets, tables."""

from __future__ import annotations

import os
import re
import shutil
import textwrap
from collections.abc import Sequence
from typing import TextIO

import click

from aigym_db.errors import AigymError
from aigym_db.model.finding import Finding
from aigym_db.model.source import Place, lines_of

_COLOUR = {"error": "red", "warning": "yellow", "note": "cyan"}
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_WIDTH = 110
"""Characters shown of a line of a file; longer lines are cut around the caret."""


def interactive(stream: TextIO) -> bool:
    """True if progress bars and colours can be used: a terminal, and neither NO_COLOR nor CI is set."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and not os.environ.get("CI")


def write(stream: TextIO, text: str) -> None:
    """Write a line; colour codes are removed unless the stream is a terminal."""
    stream.write((text if interactive(stream) else click.unstyle(text)) + "\n")
    stream.flush()


def good(text: str) -> str:
    """Return the text in green on a terminal."""
    return click.style(text, fg="green")


def bad(text: str) -> str:
    """Return the text bold and in red on a terminal."""
    return click.style(text, fg="red", bold=True)


def dim(text: str) -> str:
    """Return the text dim on a terminal."""
    return click.style(text, dim=True)


def bold(text: str) -> str:
    """Return the text bold on a terminal."""
    return click.style(text, bold=True)


def error(failure: AigymError) -> str:
    """Format an error: message, place with caret, detail, hint."""
    message = printable(failure.message)
    lines = [f"{click.style('error', fg='red', bold=True)} {dim(failure.code)} {bold(message)}"]
    if failure.place:
        lines += caret(failure.place)
    lines += [f"  {printable(line)}" for line in lines_of(failure.detail)]
    if failure.hint:
        lines.append(f"  {click.style('hint:', fg='cyan')} {failure.hint}")
    return "\n".join(lines)


def lost(cause: OSError) -> str:
    """Format the warning of a command that ran to its end although its output could not be written."""
    warning = click.style("warning", fg=_COLOUR["warning"], bold=True)
    return (
        f"{warning} {bold(f'Some of the output could not be written: {cause.strerror or cause}.')}\n"
        "  The command ran to its end; the exit status is that of its work.\n"
        f"  {click.style('hint:', fg='cyan')} Run `aigym-db status` to see what is applied."
    )


def finding(item: Finding) -> str:
    """Format a finding: level, code, message, place with caret, hint."""
    level = click.style(item.level, fg=_COLOUR[item.level], bold=True)
    first, *more = [printable(line) for line in lines_of(item.message)] or [""]
    lines = [f"{level} {dim(item.code)} {bold(first)} {dim(f'[{item.rule}]')}"]
    if item.place:
        lines += caret(item.place)
    lines += [f"  {line}" for line in more]
    if item.hint:
        lines.append(f"  {click.style('hint:', fg='cyan')} {item.hint}")
    return "\n".join(lines)


def columns(rows: Sequence[tuple[str, ...]]) -> list[str]:
    """Format rows as a table with aligned columns; the first row is the heading."""
    widths = [max(width(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [
        "  ".join(cell + " " * (most - width(cell)) for cell, most in zip(row, widths, strict=True))
        for row in rows
    ]
    return [bold(lines[0].rstrip()), *(line.rstrip() for line in lines[1:])]


def wrapped(text: str, indent: int = 0) -> str:
    """Wrap the lines of a text that are longer than the terminal is wide; 80 columns if that is unknown.

    Paragraphs are filled. Indented lines and items of lists are wrapped one by one, with the same indentation
    and `indent` further columns.
    """
    columns = shutil.get_terminal_size().columns
    if all(len(line) <= columns for line in text.splitlines()):
        return text
    return "\n\n".join(_wrapped_paragraph(part, columns, indent) for part in text.split("\n\n"))


def _wrapped_paragraph(text: str, columns: int, indent: int) -> str:
    lines = text.split("\n")
    if all(line[:1].isalnum() or line[:1] in "`(" for line in lines):
        lines = [" ".join(lines)]
    return "\n".join(
        "\n".join(
            textwrap.wrap(
                line,
                columns,
                subsequent_indent=_margin(line) + " " * indent,
                break_long_words=False,
                break_on_hyphens=False,
            )
        )
        for line in lines
    )


def _margin(line: str) -> str:
    """Return the beginning of the lines that continue a line; those of an SQL comment are comments."""
    margin = line[: len(line) - len(line.lstrip(" -"))]
    return margin if margin.lstrip() == "-- " else " " * len(margin)


def caret(place: Place) -> list[str]:
    """Format a place: file and position, the line, a caret under the column."""
    lines = [f"  {click.style('-->', fg='blue')} {printable(str(place))}"]
    if place.text.strip():
        text, column = printable(place.text), min(place.column, len(place.text) + 1)
        if len(text) > _WIDTH:
            cut = max(0, min(column - _WIDTH // 2, len(text) - _WIDTH))
            text, column = ("…" if cut else text[0]) + text[cut + 1 : cut + _WIDTH], column - cut
        number = str(place.line)
        lines.append(f"  {dim(number + ' |')} {text}")
        lines.append(
            f"  {' ' * len(number)} {dim('|')} {' ' * width(text[: column - 1])}{click.style('^', fg='red')}"
        )
    return lines


def printable(text: str) -> str:
    """Replace the control characters of a text for a terminal; the length stays the same."""
    return _CONTROLS.sub(lambda match: " " if match[0] == "\t" else "\N{REPLACEMENT CHARACTER}", text)


def width(text: str) -> int:
    """Return the width of a text in terminal columns: two for East Asian wide and emoji, none for marks."""
    return sum(_columns(letter) for letter in text)


def _columns(letter: str) -> int:
    import unicodedata

    if unicodedata.combining(letter) or unicodedata.category(letter) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(letter) in ("W", "F") else 1
