"""Generated files are up to date, and the repository contains no unwanted content."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

from aigym_db.errors import AigymError, pages
from aigym_db.project.config import find
from aigym_db.verify.verify import verify

ROOT = Path(__file__).parents[2]
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PINS = (ROOT / "requirements.txt").read_text(encoding="utf-8")
WANTED = [
    *SETTINGS["project"]["dependencies"],
    *(package for extra in SETTINGS["project"]["optional-dependencies"].values() for package in extra),
]
TRACKED = [
    ROOT / line
    for line in subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
]
TEXTS = [path for path in TRACKED if path.is_file() and path.suffix != ".svg" and path.name != "LICENSE"]


@pytest.mark.parametrize("wanted", WANTED)
def test_every_dependency_is_pinned_with_a_hash(wanted: str) -> None:
    name = re.split(r"[\[<>=~ ]", wanted)[0]

    assert re.search(rf"^{re.escape(name)}==\S+ \\\n    --hash=sha256:[0-9a-f]{{64}}", PINS, re.MULTILINE)


def test_the_pins_name_no_place_to_fetch_from() -> None:
    assert "://" not in PINS
    assert "index-url" not in PINS


def test_the_migrations_of_the_starter_project_match_its_templates(tmp_path: Path) -> None:
    project = tmp_path / "starter"
    shutil.copytree(ROOT / "aigym_db" / "starter", project)

    done = verify(find(project))

    assert [finding.message for finding in done.findings] == []


@pytest.mark.parametrize("kind", list(pages()), ids=lambda kind: kind.__name__)
def test_every_error_has_a_page(kind: type[AigymError]) -> None:
    first = (kind.__doc__ or "").strip().splitlines()[0]

    assert re.fullmatch(r"AIG-[A-Z]\d{3}", kind.code)
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", kind.name)
    assert first.endswith(".")


@pytest.mark.parametrize("attribute", ["code", "name"])
def test_no_two_errors_share_a_code_or_a_name(attribute: str) -> None:
    values = [getattr(kind, attribute) for kind in pages()]

    assert len(values) == len(set(values))


def test_no_file_contains_a_path_of_a_development_machine() -> None:
    place = re.compile(rb"/(?:work|root|home)/[a-z]")

    assert [path for path in TEXTS if place.search(path.read_bytes())] == []
