"""The text of a file: UTF-8 with LF line ends, held in memory once."""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterator
from pathlib import Path

from aigym_db.errors import BadMigration
from aigym_db.model.source import Source
from aigym_db.syntax.lexer import quoted_item_end

CHUNK = 1_000_000
"""The number of bytes of a long file that are read at a time."""
_BREAK = re.compile(r"\r\n?")


def read_text(path: Path, file: str) -> Source:
    """Return a file's text with LF line ends, as `normalised` does; `file` is the name in messages.

    A file of CHUNK bytes or more is held in memory once only.
    """
    if path.stat().st_size < CHUNK:
        return normalised(path.read_bytes(), file)
    with path.open("rb") as stream:
        decoder = io.IncrementalNewlineDecoder(codecs.getincrementaldecoder("utf-8-sig")(), translate=True)
        try:
            text = ""
            # Not a join of a list of chunks: in a `for` loop, CPython extends the text in place.
            # test_a_long_file_is_in_memory_once
            for chunk in iter(lambda: stream.read(CHUNK), b""):
                text += decoder.decode(chunk)
            text += decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return normalised(path.read_bytes(), file)
    if isinstance(decoder.newlines, tuple):
        return normalised(path.read_bytes(), file)
    return _without_nul(Source(file, text))


def normalised(content: bytes, file: str) -> Source:
    """Return a file's text with LF line ends and without a byte order mark; checksums are of this text.

    In a file with mixed line ends, those in strings and in $$ bodies are data and are kept, as pg_dump writes
    them.
    """
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise BadMigration(
            f"{file} is UTF-16 text, and migrations are UTF-8.",
            place=Source(file, "").place(0),
            hint="Save the file as UTF-8.",
        )
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        good = content[: error.start].decode("utf-8-sig", "ignore")
        raise BadMigration(
            f"{file} is not UTF-8 text.",
            place=Source(file, good).place(len(good)),
            hint="Save the file as UTF-8; a dump is in UTF-8 with `pg_dump --encoding=UTF8`.",
        ) from None
    if "\r" in text:
        breaks = text.count("\r")
        same = "\n" not in text or breaks == text.count("\n") == text.count("\r\n")
        text = _BREAK.sub("\n", text) if same else "".join(_outside_breaks(text))
    return _without_nul(Source(file, text))


def _without_nul(source: Source) -> Source:
    index = source.text.find("\0")
    if index >= 0:
        raise BadMigration(
            f"{source.file} contains a NUL character, which PostgreSQL does not accept.",
            place=source.place(index),
            hint="Remove the character; if every second one is like that, save the file as UTF-8.",
        )
    return source


def _outside_breaks(text: str) -> Iterator[str]:
    """Yield the text in pieces, with LF for every other line break outside quoted text."""
    from aigym_db.syntax.split import segments

    position = 0
    for segment in segments(text, 0, len(text)):
        yield _BREAK.sub("\n", text[position : segment.start])
        end = segment.rows.start if segment.rows else segment.end
        yield from _with_lf(text, segment.start, end)
        position = end
    yield _BREAK.sub("\n", text[position:])


def _with_lf(text: str, start: int, end: int) -> Iterator[str]:
    position = outside = hidden = start
    for match in _BREAK.finditer(text, start, end):
        if match.start() < hidden:
            continue
        hidden = quoted_item_end(text, outside, match.start())
        if hidden == match.start():
            yield text[position : match.start()]
            yield "\n"
            position = outside = match.end()
        else:
            outside = hidden
    yield text[position:end]
