"""Catalog addresses of objects whose name is not just schema.name: routines, operators, languages."""

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
"""Kinds of objects that columns, tables and partition keys can depend on, as `pg_get_object_address` spells
them. No table or column depends on a cast, trigger, rule, policy, publication or statistics object."""


@dataclass(frozen=True, slots=True)
class Address:
    """The arguments of `pg_get_object_address` for one object."""

    kind: str
    names: tuple[str, ...]
    arguments: tuple[str, ...] | None
    """Argument types; None for a routine named without them."""

    @property
    def quoted(self) -> str:
        """The name in the form that `to_regproc` or `to_regoperator` accepts."""
        *schema, name = self.names
        if self.kind != "operator":
            return ".".join(map(quoted, self.names))
        return f"{'.'.join([*map(quoted, schema), name])}({', '.join(self.arguments or ())})"

    def __str__(self) -> str:
        return ".".join(self.names)


def address_of(kind: str, dropped: Any) -> Address | None:
    """Return the address of a dropped object; None for kinds that no table or column depends on."""
    from pglast.stream import RawStream

    if kind not in _KINDS:
        return None
    words = getattr(dropped, "objname", dropped if isinstance(dropped, tuple) else (dropped,))
    types = () if getattr(dropped, "objargs", None) is None else dropped.objargs
    arguments = (
        None
        if getattr(dropped, "args_unspecified", False)
        else tuple("none" if type_ is None else str(RawStream()(type_)) for type_ in types)
    )
    return Address(_KINDS[kind], tuple(word.sval for word in words), arguments)
