"""What may not stand where it stands in a migration, and what to write instead."""

from __future__ import annotations

import re
from typing import Any

from aigym_db.errors import BadSql, ForbiddenStatement
from aigym_db.migrate.enum_values import NewValues
from aigym_db.migrate.step import Step
from aigym_db.model.migration import Part
from aigym_db.syntax.transaction_block import rejected_in_block

_READING = {
    "client_encoding": re.compile(r"utf[-_]?8|unicode", re.IGNORECASE),
    "standard_conforming_strings": re.compile(r"on|true|yes|1", re.IGNORECASE),
}
"""The settings by which the server reads a text, and the values by which a migration is read."""


def refuse_misplaced(part: Part, step: Step, values: NewValues) -> None:
    """Nothing, when a statement may stand in this part; raises ForbiddenStatement (AIG-P010) or BadSql."""
    if part.transaction:
        values.check(step.text, step.tree, step.place)
    if step.tree is None:
        return
    _refuse_anywhere(part, step)
    if part.transaction:
        _refuse_inside(part, step)
    else:
        _refuse_outside(step)


def refuse_dump_outside(part: Part) -> None:
    """Data needs a transaction to belong to, and a dump's settings need one to end with."""
    found = [one.statement for one in part.rows] + [one.start for one in part.instead if one.text]
    if found:
        raise ForbiddenStatement(
            "This is data for a COPY, or a setting for the rest of a dump, in a file that is no transaction.",
            place=part.source.place(min(found)),
            hint="Remove `transaction:false`, and put what needs it into a file of its own.",
        )


def refuse_nul(part: Part) -> None:
    """No file that is read holds one, but a text that comes from elsewhere may: parsers stop there."""
    at = part.source.text.find("\0", part.start, part.end)
    if at >= 0:
        raise BadSql(
            "The text holds a NUL character, which PostgreSQL cannot take.",
            place=part.source.place(at),
            hint="Remove the character.",
        )


def unterminated_data(part: Part, start: int) -> BadSql:
    """The refusal of a COPY whose data has no end."""
    return BadSql(
        "The data of this COPY never ends.",
        place=part.source.place(start),
        hint="Begin the data on the line below the COPY, and end it with a line that says `\\.`.",
    )


def _refuse_anywhere(part: Part, step: Step) -> None:
    tree, kind = step.tree, type(step.tree).__name__
    if kind == "TransactionStmt":
        raise ForbiddenStatement(
            f"`{_words(step, 2)}` would end or split the transaction that aigym-db keeps around this file.",
            place=step.place(),
            hint="Remove it: a file is one transaction, and with `transaction:false` each statement is one.",
        )
    if kind == "VariableSetStmt":
        _refuse_setting(step)
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
        _refuse_copy(part, step)


def _refuse_copy(part: Part, step: Step) -> None:
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
            "Binary data cannot stand in a text file.",
            place=step.place(),
            hint="Write the data as text: leave out `format binary`.",
        )
    if all(rows.statement != step.start for rows in part.rows):
        raise unterminated_data(part, step.start)


def _refuse_setting(step: Step) -> None:
    tree = step.tree
    name = (tree.name or "all").lower()
    if name in _READING:
        _refuse_reading(step, name)
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


def _refuse_reading(step: Step, name: str) -> None:
    """A file is read whole, as UTF-8 and with plain backslashes, before any statement of it runs."""
    values = [str(getattr(arg.val, "sval", getattr(arg.val, "ival", ""))) for arg in step.tree.args or ()]
    if not all(map(_READING[name].fullmatch, values)):
        raise ForbiddenStatement(
            f"`{_words(step, 6)}` would change what the text of a migration means after it was read.",
            place=step.place(),
            hint="Remove it, and save the file as UTF-8."
            if name == "client_encoding"
            else "Remove it, and write `E'…'` where a backslash is to begin an escape.",
        )


def _refuse_inside(part: Part, step: Step) -> None:
    reason = rejected_in_block(step.tree)
    if reason:
        marker = part.source.text.rfind("-- migrate:", 0, part.start)
        line = part.source.text[marker : part.source.text.find("\n", marker)].rstrip() if marker >= 0 else ""
        raise ForbiddenStatement(
            f"PostgreSQL runs {reason} only outside a transaction, and this file is one.",
            place=step.place(),
            hint="Dump again without --create: a migration stays in the database it is run on."
            if part.instead
            else f"Write `{line or '-- migrate:up'} transaction:false` as its marker, and keep to one "
            "purpose a file.",
        )
    if type(step.tree).__name__ == "CreateStmt" and _leaves_a_temporary_table(step.tree):
        raise ForbiddenStatement(
            f"The temporary table {step.tree.relation.relname} would outlive this file.",
            place=step.place(),
            hint="Write `on commit drop` behind it.",
        )


def _refuse_outside(step: Step) -> None:
    tree = step.tree
    if type(tree).__name__ == "VariableSetStmt":
        raise ForbiddenStatement(
            f"`{_words(step, 3)}` has no effect in a file whose statements are transactions of their own.",
            place=step.place(),
            hint="Remove it.",
        )
    if type(tree).__name__ == "IndexStmt" and tree.concurrent and not tree.idxname:
        raise ForbiddenStatement(
            "An index built concurrently needs a name: if the build is cut short, aigym-db looks for it by "
            "that.",
            place=step.place(),
            hint="Name it `<table>_<columns>_idx`.",
        )


def _leaves_a_temporary_table(tree: Any) -> bool:
    return bool(tree.relation.relpersistence == "t") and tree.oncommit.name != "ONCOMMIT_DROP"


def _words(step: Step, count: int) -> str:
    return " ".join(step.text.split()[:count]).rstrip(";").lower()
