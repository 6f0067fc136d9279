"""The tables that each part of a reach is read from, besides the table whose rows it is.

A call that changes none of them leaves this part of the reach of every actor as it is.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping

from aigym_db.access.call_graph import FunctionDefinition, Node, closure
from aigym_db.access.mutations import AccessRules

_EMPTY_PATH = re.compile(r"^ SET search_path TO ''$", re.MULTILINE)


def tables_read_by(
    rules: AccessRules, tables: Iterable[str], functions: Mapping[str, str]
) -> Mapping[str, tuple[str, ...] | None]:
    """Return by part the tables that its value depends on; None if that is unknown.

    Parts are `tables`, which depend on what their policies read, and calls: `functions` maps the name of the
    part to that of the function. Tables that functions read are included with what their policies read.
    """
    edges: dict[Node, Collection[Node]] = dict(rules.graph.edges)
    for policy in rules.policies:
        edges[policy.table] = {*edges.get(policy.table, ()), *policy.reads}
    starts: dict[str, set[Node]] = {name: set(edges.get(name, ())) for name in tables}
    starts |= {part: set(rules.graph.named(name)) for part, name in functions.items()}
    read: dict[str, tuple[str, ...] | None] = {}
    for part, start in starts.items():
        reached = closure(start, edges)
        unknown = (part in functions and not start) or any(
            isinstance(node, int) and _is_opaque(rules.graph.functions.get(node)) for node in reached
        )
        read[part] = None if unknown else tuple(sorted(node for node in reached if isinstance(node, str)))
    return read


def _is_opaque(function: FunctionDefinition | None) -> bool:
    """Return True if the definition of a function does not contain the qualified names of what it reads."""
    return (
        function is None
        or function.is_dynamic
        or (function.sets_path and _EMPTY_PATH.search(function.definition) is None)
    )
