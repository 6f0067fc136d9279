"""A migration is read as PostgreSQL reads it before a byte of it is sent."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from aigym_db.errors import AigymError, BadSql, ForbiddenStatement
from aigym_db.model.migration import Part
from aigym_db.model.source import Place, Source

_WORD = re.compile(r"[A-Za-z]+")
_FIRST = frozenset(
    [
        "begin",
        "start",
        "commit",
        "end",
        "rollback",
        "abort",
        "savepoint",
        "release",
        "prepare",
        "set",
        "reset",
        "discard",
        "vacuum",
        "reindex",
        "cluster",
        "copy",
        "checkpoint",
        "listen",
        "load",
    ]
)
_DEFINING = frozenset({"create", "drop", "alter"})
_DEFINED = re.compile(
    r"\b(?:concurrently|database|tablespace|system|subscription|value|temp|temporary)\b", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Step:
    """One statement of a migration."""

    source: Source
    start: int
    end: int
    tree: Any = None
    """Its parse tree, where a decision needs one: in every file outside a transaction."""

    @property
    def text(self) -> str:
        return self.source.text[self.start : self.end]

    def place(self, index: int = 0) -> Place:
        """The place of a character of the statement."""
        return self.source.place(self.start + index)


def steps(part: Part) -> tuple[Step, ...]:
    """The statements of a part, in order, after none of them was found to be out of place.

    Raises BadSql (AIG-P005) and ForbiddenStatement (AIG-P010). Only statements whose words make them
    suspicious are turned into trees: splitting 500 files takes 5 ms, a tree of each 250 ms.
    """
    from pglast.parser import ParseError, split

    try:
        slices = split(part.text, only_slices=True)
    except (ParseError, UnicodeError) as error:
        raise _bad(part, error) from None
    found = tuple(_step(part, piece) for piece in slices)
    for step in found:
        if step.tree is not None:
            _refuse_anywhere(step)
            if part.transaction:
                _refuse_inside(part, step)
            else:
                _refuse_outside(step)
    if part.transaction:
        _refuse_new_enum_values(found)
    return found


def _step(part: Part, piece: slice) -> Step:
    start, end = part.start + piece.start, part.start + piece.stop
    step = Step(part.source, start, end)
    if part.transaction and not _suspicious(step.text):
        return step
    return Step(part.source, start, end, _tree(step))


def _suspicious(text: str) -> bool:
    first = _WORD.match(text)
    word = first[0].lower() if first else ""
    return word in _FIRST or (word in _DEFINING and _DEFINED.search(text) is not None)


def _tree(step: Step) -> Any:
    from pglast.parser import parse_sql

    return parse_sql(step.text)[0].stmt


def _bad(part: Part, error: Exception) -> AigymError:
    from aigym_db.project.parse import parse_part

    try:
        parse_part(part.source, part.start, part.end)
    except AigymError as refusal:
        return refusal
    return BadSql(f"PostgreSQL does not understand the SQL: {error}.", place=part.source.place(part.start))


def _refuse_anywhere(step: Step) -> None:
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
    if kind == "CopyStmt" and tree.filename is None:
        raise ForbiddenStatement(
            "COPY from or to the client needs a client that has the data, and aigym-db is not one.",
            place=step.place(),
            hint="Write `insert into …`, or put the rows into a seed set.",
        )


def _refuse_setting(step: Step) -> None:
    tree = step.tree
    name = (tree.name or "all").lower()
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


def _refuse_inside(part: Part, step: Step) -> None:
    reason = only_outside(step.tree)
    if reason:
        marker = part.source.text.rfind("-- migrate:", 0, part.start)
        line = part.source.text[marker : part.source.text.find("\n", marker)].rstrip() if marker >= 0 else ""
        raise ForbiddenStatement(
            f"PostgreSQL runs {reason} only outside a transaction, and this file is one.",
            place=step.place(),
            hint=f"Write `{line or '-- migrate:up'} transaction:false` as its marker, and keep to one "
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


def only_outside(tree: Any) -> str | None:
    """What PostgreSQL refuses inside a transaction block, in words; None when it does not.

    Source: the callers of PreventInTransactionBlock in PostgreSQL 18.
    """
    match type(tree).__name__:
        case "IndexStmt" if tree.concurrent:
            return "CREATE INDEX CONCURRENTLY"
        case "DropStmt" if tree.concurrent:
            return "DROP INDEX CONCURRENTLY"
        case "ReindexStmt":
            if tree.kind.name in (
                "REINDEX_OBJECT_SCHEMA",
                "REINDEX_OBJECT_SYSTEM",
                "REINDEX_OBJECT_DATABASE",
            ):
                return "REINDEX of a whole schema or database"
            concurrently = any(option.defname == "concurrently" for option in tree.params or ())
            return "REINDEX CONCURRENTLY" if concurrently else None
        case "VacuumStmt" if tree.is_vacuumcmd:
            return "VACUUM"
        case "ClusterStmt" if tree.relation is None:
            return "CLUSTER of every table"
        case "AlterTableStmt" if any(getattr(command.def_, "concurrent", False) for command in tree.cmds):
            return "DETACH PARTITION CONCURRENTLY"
        case "CreateSubscriptionStmt" if not _without_slot(tree):
            return "CREATE SUBSCRIPTION with a replication slot"
        case kind:
            return _OUTSIDE.get(kind)


_OUTSIDE = {
    "CreatedbStmt": "CREATE DATABASE",
    "DropdbStmt": "DROP DATABASE",
    "CreateTableSpaceStmt": "CREATE TABLESPACE",
    "DropTableSpaceStmt": "DROP TABLESPACE",
    "AlterSystemStmt": "ALTER SYSTEM",
}


def _without_slot(tree: Any) -> bool:
    off = {"false", "off", "0", "no"}
    return any(
        option.defname in ("connect", "create_slot")
        and option.arg is not None
        and str(getattr(option.arg, "sval", getattr(option.arg, "ival", ""))).lower() in off
        for option in tree.options or ()
    )


def _refuse_new_enum_values(found: tuple[Step, ...]) -> None:
    """A value added to a type cannot be used before it is committed, except to a type that is just as new."""
    added: dict[str, str] = {}
    for number, step in enumerate(found):
        if type(step.tree).__name__ == "AlterEnumStmt" and step.tree.newVal and not step.tree.oldVal:
            name = step.tree.typeName[-1].sval
            made = re.compile(rf"create\s+type\s+(?:\S+\.)?\"?{re.escape(name)}\"?\s", re.IGNORECASE)
            if not any(made.match(earlier.text) for earlier in found[:number]):
                added[step.tree.newVal] = name
            continue
        for value, name in added.items():
            quoted = "'" + value.replace("'", "''") + "'"
            at = step.text.find(quoted)
            if at >= 0 and value in _constants(_tree(step)):
                raise ForbiddenStatement(
                    f"{quoted} is used in the transaction that adds it to the type {name}, which "
                    "PostgreSQL refuses.",
                    place=step.place(at),
                    hint="Put the use of the new value into the next migration.",
                )


def _constants(tree: Any) -> Iterator[str]:
    """Every string constant of a statement; comments and function bodies are none."""
    from pglast import ast
    from pglast.visitors import Visitor

    found: list[str] = []

    class Constants(Visitor):
        def visit_A_Const(self, _: Any, node: Any) -> None:  # noqa: N802
            if isinstance(node.val, ast.String):
                found.append(node.val.sval or "")

    Constants()(tree)
    return iter(found)


def _words(step: Step, count: int) -> str:
    return " ".join(step.text.split()[:count]).rstrip(";").lower()
