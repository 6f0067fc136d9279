"""Findings of `verify` for frozen files that were edited, with and without the lock file."""

from __future__ import annotations

import subprocess

import pytest

from aigym_db.project.config import Project
from aigym_db.project.lock_file import freeze
from aigym_db.project.migrations import migrations
from aigym_db.verify.verify import verify


def test_an_edited_frozen_file_is_found(project, edit, findings_text) -> None:
    freeze(project, migrations(project))
    edit("migrations/0002_birds.sql", "name text", "name varchar")

    assert "migrations/0002_birds.sql was edited after it was frozen" in findings_text(
        verify(project, names=("lock",))
    )


def test_a_lock_file_that_was_edited_with_its_migration_differs_from_the_main_branch(
    project, edit, findings_text
) -> None:
    git(project, "init", "-q", "-b", "main")
    freeze(project, migrations(project))
    git(project, "add", ".")
    git(project, "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "-m", "frozen")
    untouched = verify(project, names=("lock-grows",))
    edit("migrations/0002_birds.sql", "name text", "name varchar")
    (project.root / "migrations" / "LOCK").unlink()
    freeze(project, migrations(project))

    verified = verify(project, names=("lock", "lock-grows"))

    assert untouched.findings == ()
    assert [finding.rule for finding in verified.findings] == ["lock-grows"]
    assert "has another line instead of `0002_birds.sql`, which is frozen on main" in findings_text(verified)


@pytest.mark.parametrize(("number", "rules"), [(2, []), (1, ["lock-grows"])])
def test_a_history_written_anew_has_a_greater_number(project, edit, number: int, rules: list[str]) -> None:
    git(project, "init", "-q", "-b", "main")
    freeze(project, migrations(project))
    git(project, "add", ".")
    git(project, "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "-m", "frozen")
    edit("migrations/0002_birds.sql", "name text", "name varchar")
    (project.root / "migrations" / "LOCK").write_text(f"# history {number}: nothing was released\n")
    freeze(project, migrations(project))

    verified = verify(project, names=("lock", "lock-grows"))

    assert [finding.rule for finding in verified.findings] == rules


def test_a_truncated_lock_file_is_found(project, findings_text) -> None:
    git(project, "init", "-q", "-b", "main")
    freeze(project, migrations(project))
    git(project, "add", ".")
    git(project, "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "-m", "frozen")
    lock = project.root / "migrations" / "LOCK"
    lock.write_text(lock.read_text().splitlines(keepends=True)[0])

    assert "LOCK lacks `0002_birds.sql`" in findings_text(verify(project, names=("lock-grows",)))


def git(project: Project, *words: str) -> None:
    subprocess.run(["git", "-C", str(project.root), *words], check=True, capture_output=True)
