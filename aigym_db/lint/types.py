"""Column types, and what changing one into another costs.

Each case was measured: see tests/lint/test_type_changes.py, which asks a server.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from aigym_db.syntax.tree import constant, dotted

Cost = Literal["free", "index", "zone", "rewrite"]
"""Metadata only; indexes are built again; free when the session's TimeZone is UTC, else a rewrite; all rows
are written again."""

SERIALS = {
    "smallserial": "int2",
    "serial2": "int2",
    "serial": "int4",
    "serial4": "int4",
    "bigserial": "int8",
} | {"serial8": "int8"}
_SAME_BYTES = {
    ("varchar", "text"),
    ("text", "varchar"),
    ("cidr", "inet"),
    ("xml", "text"),
    ("xml", "varchar"),
}
_OID_LIKE = {"oid", "regclass", "regproc", "regprocedure", "regoper", "regoperator", "regtype", "regrole"} | {
    "regconfig",
    "regdictionary",
    "regnamespace",
}
_FRACTIONS = {"timestamp", "timestamptz", "time", "timetz"}
_MOST_DIGITS = 6
"""Digits of a second that a time without a precision keeps."""


@dataclass(frozen=True, slots=True)
class Type:
    name: str
    """As pg_type has it, e.g. `int4`, `varchar`; with its schema for a type of the project."""
    modifiers: tuple[Any, ...] = ()
    array: bool = False

    def __str__(self) -> str:
        inside = ", ".join(str(value) for value in self.modifiers)
        return self.name + (f"({inside})" if inside else "") + ("[]" if self.array else "")


def type_of(node: Any) -> Type:
    """The type a TypeName node names; `serial` and its sisters are the integers they make."""
    name = dotted(node.names)
    modifiers = tuple(constant(value) for value in node.typmods or ())
    return Type(SERIALS.get(name, name), modifiers, bool(node.arrayBounds))


def is_serial(node: Any) -> bool:
    """Whether a TypeName is `serial`, `bigserial` or `smallserial`."""
    return dotted(node.names) in SERIALS


def cost(old: Type, new: Type) -> Cost:
    """What ALTER COLUMN TYPE does to the rows when it needs no USING, or a USING that only casts."""
    if old == new:
        return "free"
    if old.array or new.array:
        return "rewrite"
    if old.name == new.name:
        return "free" if _not_narrower(old, new) else "rewrite"
    if {old.name, new.name} == {"timestamp", "timestamptz"}:
        return "zone" if _not_narrower(old, new) else "rewrite"
    if (old.name, new.name) in _SAME_BYTES:
        return "free" if not new.modifiers else "rewrite"
    if new.name in _OID_LIKE and old.name in _OID_LIKE | {"int4"}:
        return "index"
    return "rewrite"


def _not_narrower(old: Type, new: Type) -> bool:
    """Whether every value of the old type stays as it is under the new type's modifiers."""
    before, after = old.modifiers, new.modifiers
    if old.name in ("varchar", "varbit"):
        return not after or (bool(before) and after[0] >= before[0])
    if old.name == "numeric":
        return not after or (bool(before) and after[0] >= before[0] and _scale(before) == _scale(after))
    if old.name in _FRACTIONS:
        return _digits(after) >= _digits(before)
    if old.name == "interval":
        return not after or (
            bool(before) and before[0] == after[0] and _digits(after[1:]) >= _digits(before[1:])
        )
    return before == after


def _scale(modifiers: tuple[Any, ...]) -> int:
    return int(modifiers[1]) if len(modifiers) > 1 else 0


def _digits(modifiers: tuple[Any, ...]) -> int:
    return int(modifiers[0]) if modifiers else _MOST_DIGITS
