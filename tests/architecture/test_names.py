"""Names of the package: no class name twice, no file called run.py; and the words of language.py."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

import pytest

from tests.architecture import language

PACKAGE = language.ROOT / "aigym_db"


def test_no_class_name_is_defined_twice() -> None:
    defined: dict[str, list[str]] = defaultdict(list)
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                defined[node.name].append(path.relative_to(PACKAGE).as_posix())

    assert {name: paths for name, paths in defined.items() if len(paths) > 1} == {}


def test_no_file_is_called_run() -> None:
    assert list(PACKAGE.rglob("run.py")) == []


def test_a_word_that_is_not_used_is_reported_at_its_line(tmp_path: Path) -> None:
    probe = tmp_path / "probe.py"
    probe.write_text('def f() -> None:\n    """Nothing, when nobody\n    told it."""\n    found = 1\n')

    assert [(use.kind, use.line, use.word) for use in language.uses(probe)] == [
        ("people", 2, "nobody"),
        ("verb", 3, "told"),
        ("docstring", 1, "Nothing …"),
        ("name", 4, "found"),
    ]


@pytest.mark.parametrize(
    "place",
    [
        "aigym_db",
        "docs",
        "benchmarks",
        "migrations",
        "policies",
        "schema",
        "seeds",
        "tests",
        "README.md",
        "CONTRIBUTING.md",
        "DECISIONS.md",
        "CHANGELOG.md",
    ],
)
def test_the_package_and_its_documents_use_the_words_of_the_field(place: str) -> None:
    uses = [use for path in language.texts(language.ROOT / place) for use in language.uses(path)]

    assert [f"{use.path.relative_to(language.ROOT)}:{use.line}: {use.word}" for use in uses] == []
