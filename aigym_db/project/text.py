"""The text of a file, whatever its line ends: UTF-8 with LF, in one piece of memory."""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterator
from pathlib import Path

from aigym_db.errors import BadMigration
from aigym_db.model.source import Source
from aigym_db.syntax.lexer import covering

CHUNK = 1_000_000
"""How many bytes of a long file are read at once."""
_BREAK = re.compile(r"\r\n?")


def read_text(path: Path, file: str) -> Source:
    """A file's text as `normalised` says; `file` is the name to show for it.

    A long one is never in memory twice.
    """
    if path.stat().st_size < CHUNK:
        return normalised(path.read_bytes(), file)
    with path.open("rb") as stream:
        decoder = io.IncrementalNewlineDecoder(codecs.getincrementaldecoder("utf-8-sig")(), translate=True)
        try:
            text = ""
            # Not a list of chunks that are joined: in a `for` loop, CPython lets a text grow where it stands.
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
    at = source.text.find("\0")
    if at >= 0:
        raise BadMigration(
            f"{source.file} holds a NUL character, which PostgreSQL cannot take.",
            place=source.place(at),
            hint="Remove the character; if every second one is like that, save the file as UTF-8.",
        )
    return source


def _outside_breaks(text: str) -> Iterator[str]:
    """The text with LF for other line breaks outside of everything quoted."""
    from aigym_db.syntax.split import segments

    at = 0
    for found in segments(text, 0, len(text)):
        yield _BREAK.sub("\n", text[at : found.start])
        end = found.rows.start if found.rows else found.end
        yield from _mended(text, found.start, end)
        at = end
    yield _BREAK.sub("\n", text[at:])


def _mended(text: str, start: int, end: int) -> Iterator[str]:
    at = outside = hidden = start
    for found in _BREAK.finditer(text, start, end):
        if found.start() < hidden:
            continue
        hidden = covering(text, outside, found.start())
        if hidden == found.start():
            yield text[at : found.start()]
            yield "\n"
            at = outside = found.end()
        else:
            outside = hidden
    yield text[at:end]
