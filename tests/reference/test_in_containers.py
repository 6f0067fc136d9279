"""The reference database in a container: the same results as on an installed server of that version."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.support.command import ProjectFolder

NAME = os.environ.get("AIGYM_DB_TEST_CONTAINER", "")
ROOT = Path(__file__).parents[2]

pytestmark = [
    pytest.mark.exhaustive,
    pytest.mark.skipif(not NAME, reason="AIGYM_DB_TEST_CONTAINER is not set"),
]


def results(folder: Path, server: str, *command: str) -> Any:
    """The JSON document of a command without its speeds."""
    document = ProjectFolder(folder).run("--server", server, "--format", "json", *command).document
    for part in (document, document.get("calls", {})):
        part.pop("cells_per_second", None)
    return document


@pytest.mark.parametrize("command", [("verify",), ("test", "--no-cache")], ids=lambda words: words[0])
def test_the_results_are_those_of_an_embedded_server(command: tuple[str, ...]) -> None:
    in_container = results(ROOT, NAME, *command)

    assert in_container["ok"]
    assert in_container == results(ROOT, "embedded", *command)


def test_a_leak_is_reported_for_the_same_cells(tmp_path: Path) -> None:
    for name in ("schema", "policies", "migrations", "seeds", "pyproject.toml"):
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, tmp_path / name)
    leak = "create policy leak on content.items for select to authenticated using (true);\n"
    with (tmp_path / "policies/content.sql.j2").open("a", encoding="utf-8") as file:
        file.write(leak)

    in_container = results(tmp_path, NAME, "test")

    assert in_container["differing"] > 0
    assert in_container == results(tmp_path, "embedded", "test")
