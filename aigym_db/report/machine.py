"""Machine-readable output: JSON documents and GitHub annotations."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from aigym_db.errors import AigymError
from aigym_db.model.finding import Finding


def document(content: Mapping[str, Any], encoding: str | None) -> str:
    """Return a JSON document, escaped to ASCII if the output encoding cannot represent a character."""
    text = json.dumps(content, indent=2, default=str, ensure_ascii=False)
    try:
        text.encode(encoding or "utf-8")
    except UnicodeEncodeError:
        return json.dumps(content, indent=2, default=str)
    return text


def as_json(finding: Finding) -> dict[str, Any]:
    """Return a finding as a JSON object."""
    place = finding.place
    return {
        "rule": finding.rule,
        "code": finding.code,
        "level": finding.level,
        "file": place.file if place else None,
        "line": place.line if place else None,
        "column": place.column if place else None,
        "message": finding.message,
        "hint": finding.hint,
    }


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
    return f"::{level} {properties}::{_data(f'{finding.message} {finding.hint}'.strip())}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
