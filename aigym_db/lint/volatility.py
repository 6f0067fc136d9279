"""Volatile functions."""

from __future__ import annotations

from typing import Any

from pglast import ast

from aigym_db.lint.chain import Chain
from aigym_db.syntax.tree import dotted, is_a, nodes

VOLATILE = frozenset(
    [
        "clock_timestamp",
        "currval",
        "gen_random_bytes",
        "gen_random_uuid",
        "gen_salt",
        "lastval",
        "nextval",
        "pg_sleep",
        "random",
        "random_normal",
        "setval",
        "timeofday",
        "txid_current",
        "pg_current_xact_id",
        "uuid_generate_v1",
        "uuid_generate_v1mc",
        "uuid_generate_v4",
        "uuidv4",
        "uuidv7",
    ]
)
"""Built-in functions (pg_proc.provolatile = 'v') and those of uuid-ossp and pgcrypto."""


def volatile_call(chain: Chain, expression: Any) -> str | None:
    """Return the name, as written, of the first volatile function in an expression; None if there is none."""
    for node in nodes(expression):
        if is_a(node, ast.FuncCall):
            name = dotted(node.funcname)
            if _is_volatile(chain, name):
                return name
    return None


def _is_volatile(chain: Chain, name: str) -> bool:
    known = chain.overloads(name)
    if known:
        return any(function.volatility == "v" for function in known)
    schema, _, last = name.rpartition(".")
    if last in VOLATILE:
        return True
    # A function the SQL did not create: VOLATILE is the default.
    return bool(schema)
