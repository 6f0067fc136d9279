"""The table in README.md and the marks of the tests list the same scenarios."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

FOLDER = Path(__file__).parent


def promised() -> list[str]:
    """The scenarios of the table."""
    lines = (FOLDER / "README.md").read_text(encoding="utf-8").splitlines()
    rows = [line for line in lines if line.startswith("| ")]
    return [row.split(" | ")[0].removeprefix("| ") for row in rows[1:]]


def kept() -> Iterator[str]:
    """The scenarios that tests are marked with."""
    for path in FOLDER.glob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.promise":
                yield ast.literal_eval(node.args[0])


def test_every_scenario_of_the_table_has_a_test() -> None:
    assert sorted(set(kept())) == sorted(promised())
    assert len(promised()) == 20
