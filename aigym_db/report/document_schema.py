"""The JSON Schemas of the documents that `--format json` prints."""

from __future__ import annotations

import types
from datetime import datetime
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints, is_typeddict

from aigym_db.report.documents import RESULTS, CommandDocument


def document_schema(command: str) -> dict[str, Any]:
    """Return the JSON Schema of a command's document.

    The results are not required: one is missing if the command failed before it had that result.
    """
    head, results = _schema(CommandDocument), _schema(RESULTS[command])
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"aigym-db {command} --format json",
        **head,
        "description": results["description"],
        "properties": {**head["properties"], **results["properties"]},
    }


_SIMPLE: dict[Any, dict[str, Any]] = {
    str: {"type": "string"},
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": "number"},
    datetime: {"type": "string", "format": "date-time"},
    type(None): {"type": "null"},
}


def _schema(kind: Any) -> dict[str, Any]:
    if kind in _SIMPLE:
        return _SIMPLE[kind]
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Literal:
        return {"enum": [*arguments]}
    if origin is list:
        return {"type": "array", "items": _schema(arguments[0])}
    if origin is dict:
        return {"type": "object", "additionalProperties": _schema(arguments[1])}
    if origin in (Union, types.UnionType):
        return {"anyOf": [_schema(argument) for argument in arguments]}
    assert is_typeddict(kind)
    hints = get_type_hints(kind)
    return {
        "description": kind.__doc__,
        "type": "object",
        "properties": {name: _schema(hint) for name, hint in hints.items()},
        "required": [name for name in hints if name in kind.__required_keys__],
        "additionalProperties": False,
    }
