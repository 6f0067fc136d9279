"""The JSON Schema of the settings, for editors and other programs."""

from __future__ import annotations

from typing import Any

from aigym_db.project.config import SETTINGS, Project


def settings_schema() -> dict[str, Any]:
    """Return the JSON Schema of `aigym-db.toml`, and of `[tool.aigym-db]` in `pyproject.toml`."""
    defaults = Project.__dataclass_fields__
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Settings of aigym-db",
        "type": "object",
        "additionalProperties": False,
        "properties": {
            name: {**kind.schema, **_default(defaults[name].default)} for name, kind in SETTINGS.items()
        },
    }


def _default(value: Any) -> dict[str, Any]:
    if isinstance(value, tuple):
        return {"default": [*value]}
    return {"default": value} if isinstance(value, str | int) else {}
