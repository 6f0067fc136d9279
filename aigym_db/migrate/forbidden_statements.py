"""Statements that are not allowed in a migration, or not in a part of its kind."""

from __future__ import annotations

import re
from typing import Any

from aigym_db.errors import BadSql, ForbiddenStatement
from aigym_db.migrate.enum_values import NewValues
from aigym_db.migrate.step import Step
from aigym_db.model.migration import Part
from aigym_db.syntax.transaction_block import rejected_in_block, rejection

_READING = {
    "client_encoding": re.compile(r"utf[-_]?8|unicode", re.IGNORECASE),
    "standard_conforming_strings": re.compile(r"on|true|yes|1", re.IGNORECASE),
}
"""Settings that change how the server reads SQL text, and the values a migration requires."""


def check_allowed(part: Part, step: Step, values: NewValues) -> None:
    """Raise ForbiddenStatement (AIG-P010) or BadSql (AIG-P005) if the part must not contain the statement."""
    if part.transaction:
        values.check(step.text, step.tree, step.place)
    if step.tree is None:
        return
    _check_anywhere(part, step)
    if part.transaction:
        _check_transactional(part, step)
    else:
        _check_non_transactional(step)


def check_dump_transactional(part: Part) -> None:
    """Raise ForbiddenStatement if a non-transactional part contains COPY data or settings of pg_dump."""
    indexes = [data.statement for data in part.rows]
    indexes += [replacement.start for replacement in part.instead if replacement.text]
    if indexes:
        raise ForbiddenStatement(
            "A non-transactional file cannot contain data for a COPY or settings of pg_dump.",
            place=part.source.place(min(indexes)),
            hint="Remove `transaction:false`; put statements that require it into a separate migration.",
        )


def check_nul(part: Part) -> None:
    """Raise BadSql if the text contains a NUL character, which is possible if it is not from a file."""
    index = part.source.text.find("\0", part.start, part.end)
    if index >= 0:
        raise BadSql(
            "The text contains a NUL character, which PostgreSQL does not accept.",
            place=part.source.place(index),
            hint="Remove the character.",
        )


def unterminated_data(part: Part, start: int) -> BadSql:
    """Return the error for a COPY FROM stdin whose data is missing or not terminated."""
    return BadSql(
        "The data of this COPY is not terminated.",
        place=part.source.place(start),
        hint="Start the data on the line after the COPY and end it with a line `\\.`.",
    )


def _check_anywhere(part: Part, step: Step) -> None:
    tree, kind = step.tree, type(step.tree).__name__
    if kind == "TransactionStmt":
        raise ForbiddenStatement(
            f"`{_words(step, 2)}` would end or split the transaction that aigym-db keeps around this file.",
            place=step.place(),
            hint="Remove it: a file is one transaction, and with `transaction:false` each statement is one.",
        )
    if kind == "VariableSetStmt":
        _check_setting(step)
    if kind == "DiscardStmt":
        raise ForbiddenStatement(
            f"`{_words(step, 2)}` would throw away the session's lock and settings.",
            place=step.place(),
            hint="Remove it; aigym-db leaves a clean session by itself.",
        )
    if kind == "PrepareStmt":
        raise ForbiddenStatement(
            f"`prepare {tree.name}` would stay in the session for the next file.",
            place=step.place(),
            hint="Write the statement itself.",
        )
    if kind == "DeallocateStmt":
        raise ForbiddenStatement(
            f"`{_words(step, 2)}` has nothing to deallocate here but what aigym-db itself has prepared.",
            place=step.place(),
            hint="Remove it.",
        )
    if kind == "CopyStmt" and tree.filename is None:
        _check_copy(part, step)


def _check_copy(part: Part, step: Step) -> None:
    from aigym_db.syntax.tree import option, option_text

    tree = step.tree
    if not tree.is_from:
        raise ForbiddenStatement(
            "COPY to the client needs a client that keeps the data, and aigym-db does not.",
            place=step.place(),
            hint="Remove it.",
        )
    if option_text(option(tree.options, "format")) == "binary":
        raise ForbiddenStatement(
            "A text file cannot contain binary data.",
            place=step.place(),
            hint="Write the data as text: leave out `format binary`.",
        )
    if all(rows.statement != step.start for rows in part.rows):
        raise unterminated_data(part, step.start)


def _check_setting(step: Step) -> None:
    tree = step.tree
    name = (tree.name or "all").lower()
    if name in _READING:
        _check_reading(step, name)
    if name == "transaction" or (tree.is_local and name not in ("role", "session_authorization")):
        return
    if name in ("role", "session_authorization"):
        raise ForbiddenStatement(
            f"`{_words(step, 3)}` would change who this migration acts as, and who its objects belong to.",
            place=step.place(),
            hint="Write the role on the marker line: `-- migrate:up role:<name>`, or `role:none` for who "
            "connected.",
        )
    raise ForbiddenStatement(
        f"`{_words(step, 2)}` would last beyond this file.",
        place=step.place(),
        hint="Write `set local`, which ends with the file's transaction.",
    )


def _check_reading(step: Step, name: str) -> None:
    """Reject values that differ from those by which the whole file was split: UTF-8, plain backslashes."""
    values = [str(getattr(arg.val, "sval", getattr(arg.val, "ival", ""))) for arg in step.tree.args or ()]
    if not all(map(_READING[name].fullmatch, values)):
        raise ForbiddenStatement(
            f"`{_words(step, 6)}` would change what the text of a migration means after it was read.",
            place=step.place(),
            hint="Remove it, and save the file as UTF-8."
            if name == "client_encoding"
            else "Remove it, and write `E'…'` where a backslash is to begin an escape.",
        )


def _check_transactional(part: Part, step: Step) -> None:
    command = rejected_in_block(step.tree)
    if command:
        marker = part.source.text.rfind("-- migrate:", 0, part.start)
        line = part.source.text[marker : part.source.text.find("\n", marker)].rstrip() if marker >= 0 else ""
        raise ForbiddenStatement(
            rejection(command),
            place=step.place(),
            hint="Dump again without --create: a migration stays in the database it is run on."
            if part.instead
            else f"Write `{line or '-- migrate:up'} transaction:false` as its marker, and put other "
            "statements into a separate migration.",
        )
    if type(step.tree).__name__ == "CreateStmt" and _leaves_a_temporary_table(step.tree):
        raise ForbiddenStatement(
            f"The temporary table {step.tree.relation.relname} would outlive this file.",
            place=step.place(),
            hint="Append `on commit drop`.",
        )


def _check_non_transactional(step: Step) -> None:
    tree = step.tree
    if type(tree).__name__ == "VariableSetStmt":
        raise ForbiddenStatement(
            f"`{_words(step, 3)}` has no effect in a file whose statements are transactions of their own.",
            place=step.place(),
            hint="Remove it.",
        )
    if type(tree).__name__ == "IndexStmt" and tree.concurrent and not tree.idxname:
        raise ForbiddenStatement(
            "CREATE INDEX CONCURRENTLY requires an index name: if the build is interrupted, aigym-db finds "
            "the index by its name.",
            place=step.place(),
            hint="Name it `<table>_<columns>_idx`.",
        )


def _leaves_a_temporary_table(tree: Any) -> bool:
    return bool(tree.relation.relpersistence == "t") and tree.oncommit.name != "ONCOMMIT_DROP"


def _words(step: Step, count: int) -> str:
    return " ".join(step.text.split()[:count]).rstrip(";").lower()
