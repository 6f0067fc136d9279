"""The lock file detects every change of a frozen migration."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from aigym_db.errors import EditedFrozen, MissingMigration
from aigym_db.project.config import Project
from aigym_db.project.lock_file import freeze, frozen
from aigym_db.project.migrations import migrations

TEXT = "-- migrate:up\nselect {};\n-- migrate:down\n"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    (tmp_path / "migrations").mkdir()
    for number in (1, 2, 3):
        (tmp_path / f"migrations/000{number}_step.sql").write_text(TEXT.format(number))
    project = Project(tmp_path)
    freeze(project, migrations(project))
    return project


def lock(project: Project) -> Path:
    return project.root / "migrations" / "LOCK"


def test_sha256sum_accepts_the_file(project: Project) -> None:
    done = subprocess.run(["sha256sum", "-c", "LOCK"], cwd=project.root / "migrations", capture_output=True)

    assert done.returncode == 0


def test_freezing_adds_only_what_is_new_and_never_rewrites(project: Project) -> None:
    before = lock(project).read_text()
    (project.root / "migrations/0004_step.sql").write_text(TEXT.format(4))

    added = freeze(project, migrations(project))

    assert [migration.version for migration in added] == [4]
    assert lock(project).read_text().startswith(before)
    assert freeze(project, migrations(project)) == ()
    assert frozen(project, migrations(project)) == {1, 2, 3, 4}


def test_the_number_of_the_history_is_a_comment_for_sha256sum(project: Project) -> None:
    path = lock(project)
    path.write_text("# history 2: nothing was released\n" + path.read_text())
    (project.root / "migrations/0004_step.sql").write_text(TEXT.format(4))

    freeze(project, migrations(project))
    done = subprocess.run(["sha256sum", "-c", "LOCK"], cwd=path.parent, capture_output=True, text=True)

    assert (done.returncode, done.stderr) == (0, "")
    assert frozen(project, migrations(project)) == {1, 2, 3, 4}


@pytest.mark.parametrize("line", ["# history: 2", "# history 2:", "#"])
def test_another_comment_is_rejected(project: Project, line: str) -> None:
    path = lock(project)
    path.write_text(f"{line}\n" + path.read_text())

    with pytest.raises(EditedFrozen, match="is not a checksum"):
        frozen(project, migrations(project))


def test_an_edited_frozen_file_is_rejected(project: Project) -> None:
    (project.root / "migrations/0002_step.sql").write_text(TEXT.format("2 + 0"))

    with pytest.raises(EditedFrozen, match=r"0002_step\.sql was edited") as caught:
        frozen(project, migrations(project))

    assert "aigym-db new" in caught.value.hint
    assert str(caught.value.place) == "migrations/LOCK:2:1"


def test_a_missing_frozen_file_is_rejected(project: Project) -> None:
    (project.root / "migrations/0003_step.sql").unlink()

    with pytest.raises(MissingMigration, match=r"0003_step\.sql is frozen"):
        frozen(project, migrations(project))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("0002_step.sql\n", "0002_step.sql\n\n"),
        ("0002_step.sql", "0002_step.sql  # fine"),
        ("0001_step.sql", "0003_step.sql"),
    ],
)
def test_an_edited_lock_is_rejected(project: Project, old: str, new: str) -> None:
    lock(project).write_text(lock(project).read_text().replace(old, new))

    with pytest.raises(EditedFrozen):
        frozen(project, migrations(project))


def test_a_line_removed_from_the_middle_of_lock_is_rejected(project: Project) -> None:
    first, _, third = lock(project).read_text().splitlines(keepends=True)
    lock(project).write_text(first + third)

    with pytest.raises(EditedFrozen, match="a line was removed"):
        frozen(project, migrations(project))
