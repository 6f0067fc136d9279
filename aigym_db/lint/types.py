"""Column types, and the cost of changing one to another.

Each case is measured on a server by tests/lint/test_type_changes.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from aigym_db.syntax.tree import constant, dotted

Cost = Literal["free", "index", "zone", "rewrite"]
"""`free` changes only the catalog, `index` rebuilds indexes, `rewrite` rewrites the table; `zone` is free if
the session's TimeZone is UTC, otherwise a rewrite."""

SERIALS = {
    "smallserial": "int2",
    "serial2": "int2",
    "serial": "int4",
    "serial4": "int4",
    "bigserial": "int8",
    "serial8": "int8",
}
_BINARY_COERCIBLE = {
    ("varchar", "text"),
    ("text", "varchar"),
    ("cidr", "inet"),
    ("xml", "text"),
    ("xml", "varchar"),
}
_OID_LIKE = {
    "oid",
    "regclass",
    "regconfig",
    "regdictionary",
    "regnamespace",
    "regoper",
    "regoperator",
    "regproc",
    "regprocedure",
    "regrole",
    "regtype",
}
_TIME_TYPES = {"timestamp", "timestamptz", "time", "timetz"}
_MAX_DIGITS = 6
"""Fractional digits of a time type without a precision."""


@dataclass(frozen=True, slots=True)
class Type:
    """A data type with its modifiers, e.g. `numeric(10, 2)`."""

    name: str
    """As in pg_type, e.g. `int4`, `varchar`; types of the project are schema-qualified."""
    modifiers: tuple[Any, ...] = ()
    array: bool = False

    def __str__(self) -> str:
        inside = ", ".join(str(value) for value in self.modifiers)
        return self.name + (f"({inside})" if inside else "") + ("[]" if self.array else "")


def type_of(node: Any) -> Type:
    """Return the type of a TypeName node: the integer type for `serial`, a type without a name for None.

    The columns of a partition and the missing operand of a prefix operator have no TypeName.
    """
    if node is None:
        return Type("")
    name = dotted(node.names)
    modifiers = tuple(constant(value) for value in node.typmods or ())
    return Type(SERIALS.get(name, name), modifiers, bool(node.arrayBounds))


def is_serial(node: Any) -> bool:
    """Return True if a TypeName is `serial`, `bigserial` or `smallserial`, in any spelling."""
    return node is not None and dotted(node.names) in SERIALS


def cost(old: Type, new: Type) -> Cost:
    """Return the cost of ALTER COLUMN TYPE without USING, or with a USING that only casts."""
    if old == new:
        return "free"
    if old.array or new.array:
        return "rewrite"
    if old.name == new.name:
        return "free" if _not_narrower(old, new) else "rewrite"
    if {old.name, new.name} == {"timestamp", "timestamptz"}:
        return "zone" if _not_narrower(old, new) else "rewrite"
    if (old.name, new.name) in _BINARY_COERCIBLE:
        return "free" if not new.modifiers else "rewrite"
    if new.name in _OID_LIKE and old.name in _OID_LIKE | {"int4"}:
        return "index"
    return "rewrite"


def _not_narrower(old: Type, new: Type) -> bool:
    """Return whether every value of the old type remains unchanged under the new type's modifiers."""
    before, after = old.modifiers, new.modifiers
    if old.name in ("varchar", "varbit"):
        return not after or (bool(before) and after[0] >= before[0])
    if old.name == "numeric":
        return not after or (bool(before) and after[0] >= before[0] and _scale(before) == _scale(after))
    if old.name in _TIME_TYPES:
        return _digits(after) >= _digits(before)
    if old.name == "interval":
        return not after or (
            bool(before) and before[0] == after[0] and _digits(after[1:]) >= _digits(before[1:])
        )
    return before == after


def _scale(modifiers: tuple[Any, ...]) -> int:
    return int(modifiers[1]) if len(modifiers) > 1 else 0


def _digits(modifiers: tuple[Any, ...]) -> int:
    return int(modifiers[0]) if modifiers else _MAX_DIGITS
