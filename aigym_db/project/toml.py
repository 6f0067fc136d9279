"""TOML files of a project, and where in them a key stands."""

from __future__ import annotations

import re
import tomllib
from typing import Any

from aigym_db.errors import BadConfig
from aigym_db.model.source import Place, Source


def load(source: Source) -> dict[str, Any]:
    """What a TOML file says; raises BadConfig (AIG-P002) at the character where it stops being TOML."""
    try:
        return tomllib.loads(source.text)
    except tomllib.TOMLDecodeError as error:
        said, _, where = str(error).partition(" (at ")
        numbers = re.match(r"line (\d+), column (\d+)\)", where)
        index = len(source.text)
        if numbers:
            lines = source.text.split("\n")
            index = sum(len(line) + 1 for line in lines[: int(numbers[1]) - 1]) + int(numbers[2]) - 1
        raise BadConfig(
            f"{source.file} is not valid TOML: {said}.",
            place=source.place(index),
            hint="Correct the line.",
        ) from None


def place(source: Source, table: str, number: int, key: str | None = None, value: str | None = None) -> Place:
    """Where a key of the numbered `[[table]]` (from 0) stands, or a value of it, or the table itself."""
    headers = [*re.finditer(rf"^[ \t]*\[\[[ \t]*{re.escape(table)}[ \t]*\]\]", source.text, re.MULTILINE)]
    if number >= len(headers):
        return source.place(0)
    start = headers[number].start()
    end = headers[number + 1].start() if number + 1 < len(headers) else len(source.text)
    if key is None:
        return source.place(start)
    found = re.compile(rf'^[ \t]*(["\']?{re.escape(key)}["\']?)[ \t]*=', re.MULTILINE).search(
        source.text, start, end
    )
    if found is None:
        return source.place(start)
    if value is not None:
        quoted = re.compile(rf'(["\']){re.escape(value)}\1').search(source.text, found.end(), end)
        if quoted:
            return source.place(quoted.start())
    return source.place(found.start(1))
