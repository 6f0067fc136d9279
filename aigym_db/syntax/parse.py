"""Parse SQL text with PostgreSQL's own parser; errors carry their place in the source."""

from __future__ import annotations

import re

from pglast.parser import ParseError, parse_sql, scan, split

from aigym_db.errors import BadSql
from aigym_db.model.source import Source
from aigym_db.model.sql import Script, Statement
from aigym_db.syntax.hints import after_meta_command, hint, meta_command
from aigym_db.syntax.lexer import BLANKS
from aigym_db.syntax.mask import sql_only
from aigym_db.syntax.non_sql import copy_data_and_replacements

_NON_ASCII = re.compile(r"[^\x00-\x7f]")
_COMMENTS = {"C_COMMENT", "SQL_COMMENT"}


def parse(source: Source) -> Script:
    """Return the statements of a source, in order.

    Raise BadSql (AIG-P005), at the place in the file or template, if PostgreSQL rejects the text or if it
    contains COPY data.
    """
    rows, _ = copy_data_and_replacements(source.text, 0, len(source.text))
    if rows:
        raise BadSql(
            "COPY data is allowed in migrations only.",
            place=source.place(rows[0].start),
            hint="Write the rows as INSERT, or put them into a migration.",
        )
    return Script(source, _statements(source, source.text))


def parse_part(source: Source, start: int, end: int) -> tuple[Statement, ...]:
    """Return the statements of `source.text[start:end]`; all indexes refer to the whole text.

    The locations in the parse trees do as well: they are valid arguments of `Statement.place`. COPY data, and
    what pg_dump writes only for psql, is left out. In a text of more than a million characters, only one
    statement of each run of plain statements is parsed.
    Raise BadSql (AIG-P005) if PostgreSQL rejects the text.
    """
    return _statements(source, " " * start + sql_only(source.text, start, end, for_checks=True))


def split_sql(text: str, *, with_parser: bool = True) -> tuple[slice, ...]:
    """Return the slices of a text's statements; pass `with_parser=False` if the text may be invalid.

    pglast.split also strips characters that are white space in Python and letters in PostgreSQL, e.g. U+00A0
    or U+2028 as the last character of an identifier. They are added again. Raise pglast's ParseError.
    """
    slices = []
    for piece in split(text, only_slices=True, with_parser=with_parser):
        stop = piece.stop
        while stop < len(text) and text[stop].isspace():
            stop += 1
        slices.append(slice(piece.start, piece.stop + len(text[piece.stop : stop].rstrip(BLANKS))))
    return tuple(slices)


def _statements(source: Source, text: str) -> tuple[Statement, ...]:
    _reject_unsendable(source, text)
    try:
        trees = parse_sql(text)
    except ParseError as error:
        raise _bad_sql(source, text, error) from None
    statements = []
    for raw in trees:
        first = raw.stmt_location or 0
        stop = first + raw.stmt_len if raw.stmt_len else len(text)
        statements.append(Statement(source, first, _end(text, first, stop), raw.stmt))
    return tuple(statements)


def _end(text: str, start: int, stop: int) -> int:
    """Return the end of a statement's last token: blanks and comments after it are not part of it."""
    written = text[start:stop].rstrip(BLANKS)
    if "--" not in written and "/*" not in written:
        return start + len(written)
    return start + next(token.end + 1 for token in reversed(scan(written)) if token.name not in _COMMENTS)


def _reject_unsendable(source: Source, text: str) -> None:
    index = text.find("\0")
    if index >= 0:
        raise BadSql(
            "The text contains a NUL character, which PostgreSQL does not accept.",
            place=source.place(index),
            hint="Remove the character.",
        )
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise BadSql(
            f"The text contains an unpaired surrogate (U+{ord(text[error.start]):04X}), which is not a "
            "character.",
            place=source.place(error.start),
            hint="Write the character itself, or as an escape such as E'\\U0001F600'.",
        ) from None


def _bad_sql(source: Source, text: str, error: ParseError) -> BadSql:
    message, index = error.args[0], _index(text, error)
    command = meta_command(text, index)
    if command:
        return BadSql(
            f"`{command}` is a psql command, not SQL.",
            place=source.place(index),
            hint=after_meta_command(command),
        )
    return BadSql(
        f"Invalid SQL: {_short(message)}.",
        place=source.place(index),
        hint=hint(message, text, index) or "Correct the SQL at or before the caret.",
    )


def _short(message: str) -> str:
    """Cut the quoted text of a message to one line: for an unterminated string it is the rest of the file."""
    reason, near, quoted = message.partition(' at or near "')
    first = quoted.partition("\n")[0][:60]
    return message if first == quoted else f'{reason}{near}{first}…"'


def _index(text: str, error: ParseError) -> int:
    """Return the index of the character at which the parser stopped."""
    message, index = error.args
    if index is not None and not text.isascii():
        # pglast 8.7 treats the character index of an error as a byte index. In ASCII text both are the same,
        # and other characters can only occur where a letter can: in names, strings and comments. A letter
        # that completes a keyword changes the message; then the next letter is tried.
        # test_the_place_of_an_error_is_right_under_any_unicode
        for letter in "qzj":
            try:
                parse_sql(_NON_ASCII.sub(letter, text))
            except ParseError as other:
                if other.args[0] == _NON_ASCII.sub(letter, message):
                    index = other.args[1]
                    break
    return len(text.rstrip(BLANKS)) if index is None else int(index)
