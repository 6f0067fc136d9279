"""SQL text, as PostgreSQL's own parser sees it."""

from __future__ import annotations

import re
from typing import NoReturn

from pglast.parser import ParseError, parse_sql, scan

from aigym_db.errors import BadSql
from aigym_db.model.source import Source
from aigym_db.model.sql import Script, Statement
from aigym_db.syntax.hints import after_meta_command, hint, meta_command
from aigym_db.syntax.mask import sql_only
from aigym_db.syntax.non_sql import exceptions

_NON_ASCII = re.compile(r"[^\x00-\x7f]")
_COMMENTS = {"C_COMMENT", "SQL_COMMENT"}


def parse(source: Source) -> Script:
    """Every statement of a source, in order.

    Raises BadSql (AIG-P005) at the place, in the file a person edits, where PostgreSQL stops understanding.
    """
    rows, _ = exceptions(source.text, 0, len(source.text))
    if rows:
        raise BadSql(
            "The data behind this COPY is no SQL, and only a migration may hold any.",
            place=source.place(rows[0].start),
            hint="Write the rows as INSERT, or put them into a migration.",
        )
    return Script(source, _statements(source, source.text))


def parse_part(source: Source, start: int, end: int) -> tuple[Statement, ...]:
    """The statements of `source.text[start:end]`, with their places in the whole source.

    Locations in the trees, too, are character indices of the whole text: what `Statement.place` takes. The
    data behind a COPY is left out, and so is what pg_dump writes for psql alone; of the plain rows of a long
    text, some are read.
    """
    return _statements(source, " " * start + sql_only(source.text, start, end, to_judge=True))


def _statements(source: Source, text: str) -> tuple[Statement, ...]:
    _refuse_what_cannot_be_sent(source, text)
    try:
        found = parse_sql(text)
    except ParseError as error:
        _refuse(source, text, error)
    statements = []
    for raw in found:
        first = raw.stmt_location or 0
        stop = first + raw.stmt_len if raw.stmt_len else len(text)
        statements.append(Statement(source, first, _end(text, first, stop), raw.stmt))
    return tuple(statements)


def _end(text: str, start: int, stop: int) -> int:
    """Where a statement's last token ends: blanks and comments after it are not the statement."""
    written = text[start:stop].rstrip()
    if "--" not in written and "/*" not in written:
        return start + len(written)
    return start + next(token.end + 1 for token in reversed(scan(written)) if token.name not in _COMMENTS)


def _refuse_what_cannot_be_sent(source: Source, text: str) -> None:
    index = text.find("\0")
    if index >= 0:
        raise BadSql(
            "The text holds a NUL character, which PostgreSQL cannot take.",
            place=source.place(index),
            hint="Remove the character.",
        )
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise BadSql(
            f"The text holds half a surrogate pair (U+{ord(text[error.start]):04X}), which is no character.",
            place=source.place(error.start),
            hint="Write the character itself, or as an escape such as E'\\U0001F600'.",
        ) from None


def _refuse(source: Source, text: str, error: ParseError) -> NoReturn:
    message, index = error.args[0], _index(text, error)
    command = meta_command(text, index)
    if command:
        raise BadSql(
            f"`{command}` is a command of psql, not SQL.",
            place=source.place(index),
            hint=after_meta_command(command),
        ) from None
    raise BadSql(
        f"PostgreSQL does not understand the SQL: {_short(message)}.",
        place=source.place(index),
        hint=hint(message, text, index) or "Correct the SQL at the caret, or just before it.",
    ) from None


def _short(message: str) -> str:
    """The message with its quotation cut to one line: of an unterminated string it quotes all the rest."""
    said, near, quoted = message.partition(' at or near "')
    first = quoted.partition("\n")[0][:60]
    return message if first == quoted else f'{said}{near}{first}…"'


def _index(text: str, error: ParseError) -> int:
    """The character at which the parser stopped."""
    message, index = error.args
    if index is not None and not text.isascii():
        # pglast 8.7 reads the character index of an error as if it counted bytes. In ASCII both are the same,
        # and other characters stand only where a letter may: in names, strings and comments. A letter that
        # happens to complete a keyword changes the message, then the next one is tried.
        # test_the_place_of_an_error_is_right_under_any_unicode
        for letter in "qzj":
            try:
                parse_sql(_NON_ASCII.sub(letter, text))
            except ParseError as other:
                if other.args[0] == _NON_ASCII.sub(letter, message):
                    index = other.args[1]
                    break
    return len(text.rstrip()) if index is None else int(index)
