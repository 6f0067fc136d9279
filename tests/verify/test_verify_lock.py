"""What `verify` says of frozen files that were edited, LOCK and all."""

from __future__ import annotations

import subprocess

from aigym_db.project.config import Project
from aigym_db.project.lock_file import freeze
from aigym_db.project.migrations import migrations
from aigym_db.verify.verify import verify


def test_an_edited_frozen_file_is_found(project, edit, said) -> None:
    freeze(project, migrations(project))
    edit("migrations/0002_birds.sql", "name text", "name varchar")

    assert "migrations/0002_birds.sql was edited after it was frozen" in said(
        verify(project, names=("lock",))
    )


def test_a_lock_that_was_edited_with_its_file_is_found_by_the_main_branch(project, edit, said) -> None:
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
    assert "has another line in the place of `0002_birds.sql`, which main has frozen" in said(verified)


def test_a_lock_that_lost_its_end_is_found(project, said) -> None:
    git(project, "init", "-q", "-b", "main")
    freeze(project, migrations(project))
    git(project, "add", ".")
    git(project, "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "-m", "frozen")
    lock = project.root / "migrations" / "LOCK"
    lock.write_text(lock.read_text().splitlines(keepends=True)[0])

    assert "LOCK lacks `0002_birds.sql`" in said(verify(project, names=("lock-grows",)))


def git(project: Project, *words: str) -> None:
    subprocess.run(["git", "-C", str(project.root), *words], check=True, capture_output=True)
