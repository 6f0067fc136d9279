"""The layers of the package, kept by reading every import, also lazy ones and those under TYPE_CHECKING."""

from __future__ import annotations

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "aigym_db"
FEATURES = {
    "draft",
    "lint",
    "verify",
    "health",
    "partitions",
    "migrate",
    "access",
    "seeds",
    "clients",
}
LEVEL = {
    "": 8,
    "cli": 7,
    "pytest_plugin": 7,
    "api": 6,
    "report": 6,
    "project": 4,
    "database": 4,
    "syntax": 3,
    "errors": 2,
    "discovery": 1,
    "model": 1,
    "version": 0,
} | dict.fromkeys(FEATURES, 5)


def modules() -> dict[str, Path]:
    """Every module of the package by its dotted name."""
    paths = {}
    for path in PACKAGE.rglob("*.py"):
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        paths[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return paths


MODULES = modules()


def imports(name: str) -> set[str]:
    """The modules of the package that a module imports anywhere in its text, itself left out."""
    path = MODULES[name]
    package = name if path.stem == "__init__" else name.rpartition(".")[0]
    imported: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            imported |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                anchor = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*anchor, base]).rstrip(".")
            inner = {f"{base}.{alias.name}" for alias in node.names}
            imported |= {name if name in MODULES else base for name in inner}
    return {module for module in imported if module in MODULES} - {name}


def layer(module: str) -> str:
    return [*module.split("."), ""][1]


@pytest.mark.parametrize("name", sorted(MODULES))
def test_a_module_imports_only_from_its_own_part_or_from_lower_layers(name: str) -> None:
    upward = {
        other
        for other in imports(name)
        if layer(other) != layer(name) and LEVEL[layer(other)] >= LEVEL[layer(name)]
    }

    assert not upward


def test_no_modules_import_each_other_in_a_circle() -> None:
    graph = {name: imports(name) for name in MODULES}

    try:
        TopologicalSorter(graph).prepare()
    except CycleError as circle:
        pytest.fail(" → ".join(circle.args[1]))


@pytest.mark.parametrize("part", sorted({layer(name) for name in MODULES} - {""}))
def test_every_part_of_the_package_has_a_layer(part: str) -> None:
    assert part in LEVEL


def test_a_lazy_import_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    probe = tmp_path / "probe.py"
    probe.write_text("def later():\n    from aigym_db.model.source import Place\n    return Place\n")
    monkeypatch.setitem(MODULES, "aigym_db.project.probe", probe)

    assert imports("aigym_db.project.probe") == {"aigym_db.model.source"}
