"""The examples in CONTRIBUTING.md are files of the repository."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_EXAMPLE = re.compile(r"<!-- source: (\S+) -->\n```\w*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
EXAMPLES = _EXAMPLE.findall((ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"))


@pytest.mark.parametrize(("file", "text"), EXAMPLES, ids=[file for file, _ in EXAMPLES])
def test_an_example_is_equal_to_its_file(file: str, text: str) -> None:
    assert text == (ROOT / file).read_text(encoding="utf-8")


def test_the_lint_rule_is_an_example() -> None:
    assert any(file.startswith("aigym_db/lint/rules/") for file, _ in EXAMPLES)
