"""Machine-readable output: JSON documents and GitHub annotations."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from aigym_db.errors import AigymError
from aigym_db.model.finding import Finding


def document(content: Mapping[str, Any], encoding: str | None) -> str:
    """Return a JSON document, escaped to ASCII if the output encoding cannot represent a character."""
    text = json.dumps(content, indent=2, default=_iso, ensure_ascii=False)
    try:
        text.encode(encoding or "utf-8")
    except UnicodeEncodeError:
        return json.dumps(content, indent=2, default=_iso)
    return text


def as_finding(error: AigymError) -> Finding:
    """Return an error in the form of a finding."""
    message = f"{error.message}\n{error.detail}" if error.detail else error.message
    return Finding(error.name, error.code, "error", message, error.place, error.hint)


def github(finding: Finding) -> str:
    """Return the GitHub workflow command that annotates the line of a finding in a pull request."""
    level = {"error": "error", "warning": "warning", "note": "notice"}[finding.level]
    properties = f"title={_property(finding.code)}"
    if finding.place:
        place = finding.place
        properties = f"file={_property(place.file)},line={place.line},col={place.column},{properties}"
    text = f"{finding.message}\nhint: {finding.hint}" if finding.hint else finding.message
    return f"::{level} {properties}::{_data(text)}"


def _iso(value: datetime) -> str:
    return value.isoformat()


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
