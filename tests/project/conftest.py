"""Projects made of a few files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from aigym_db.project.config import Project

Make = Callable[[dict[str, str]], Project]

DOMAINS = """
[[domain]]
name = "a"
purpose = "the first"
owner = "us"
may_reference = ["b", "auth"]

[[domain]]
name = "b"
purpose = "the second"
owner = "us"

[[domain]]
name = "auth"
purpose = "theirs"
owner = "them"
external = true
"""


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Return a function that writes files into a project with the domains a, b and (external) auth."""

    def write(files: dict[str, str]) -> Project:
        for name, text in {"schema/domains.toml": DOMAINS, **files}.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode("utf-8", "surrogateescape"))
        return Project(tmp_path)

    return write


@pytest.fixture
def card() -> Callable[..., str]:
    """Return a function that writes a card; keyword arguments replace its values, None leaves a line out."""

    def write(name: str, **values: str | None) -> str:
        lines: dict[str, str | None] = {
            "tenancy": "global",
            "owner": "-",
            "tenant": "-",
            "parent": "-",
            "mfa": "none",
            "personal": "-",
            "basis": "-",
            "retention": "life",
            "audit": "none",
            "rows": "10",
        }
        lines |= values
        values_as_lines = [f"-- {key}: {value}" for key, value in lines.items() if value is not None]
        return "\n".join([f"-- {name}: rows for a test.", *values_as_lines, ""])

    return write
