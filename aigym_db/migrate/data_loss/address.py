"""Objects that are named by more than a schema and a word, or by less: routines, operators, languages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from aigym_db.syntax.quote import quoted

_KINDS = {
    "ACCESS_METHOD": "access method",
    "AGGREGATE": "aggregate",
    "COLLATION": "collation",
    "FDW": "foreign-data wrapper",
    "FOREIGN_SERVER": "server",
    "FUNCTION": "function",
    "LANGUAGE": "language",
    "OPCLASS": "operator class",
    "OPERATOR": "operator",
    "OPFAMILY": "operator family",
    "PROCEDURE": "procedure",
    "ROUTINE": "routine",
    "TSCONFIGURATION": "text search configuration",
    "TSDICTIONARY": "text search dictionary",
    "TSPARSER": "text search parser",
    "TSTEMPLATE": "text search template",
}
"""What columns, tables and partition keys may hang on, as `pg_get_object_address` calls it. Nothing that
holds rows hangs on a cast, trigger, rule, policy, publication or on statistics."""


@dataclass(frozen=True, slots=True)
class Address:
    """How a server is asked for an object."""

    kind: str
    names: tuple[str, ...]
    arguments: tuple[str, ...] | None
    """None for a routine that is named without them."""

    @property
    def quoted(self) -> str:
        """As `to_regproc` or `to_regoperator` takes it."""
        *schema, name = self.names
        if self.kind != "operator":
            return ".".join(map(quoted, self.names))
        return f"{'.'.join([*map(quoted, schema), name])}({', '.join(self.arguments or ())})"

    def __str__(self) -> str:
        return ".".join(self.names)


def address(kind: str, named: Any) -> Address | None:
    """How to ask for what a DROP names; None for kinds of objects that no rows hang on."""
    from pglast.stream import RawStream

    if kind not in _KINDS:
        return None
    words = getattr(named, "objname", named if isinstance(named, tuple) else (named,))
    types = () if getattr(named, "objargs", None) is None else named.objargs
    given = (
        None
        if getattr(named, "args_unspecified", False)
        else tuple("none" if one is None else str(RawStream()(one)) for one in types)
    )
    return Address(_KINDS[kind], tuple(word.sval for word in words), given)
