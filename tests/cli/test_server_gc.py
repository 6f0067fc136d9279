"""`server gc` deletes the data of a local server on request only."""

from __future__ import annotations

from pathlib import Path

import pytest

from aigym_db.database.servers import cleanup
from tests.support.command import ProjectInProcess


@pytest.fixture
def homes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    """Data folders of local servers: of a project that exists, and of a missing one."""
    state = tmp_path / "state"
    monkeypatch.setattr(cleanup, "STATE", state)
    projects = {"present": tmp_path, "missing": tmp_path / "unmounted/shop"}
    for name, project in projects.items():
        (state / name / "data").mkdir(parents=True)
        (state / name / "project").write_text(str(project))
    return {name: state / name for name in projects}


def test_data_of_a_missing_project_is_listed_and_kept(
    homes: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project = ProjectInProcess(tmp_path, capsys)

    printed = project("server", "gc").out
    document = project("--format", "json", "server", "gc").document

    assert (
        f"kept {homes['missing']}: local server of the missing folder {tmp_path}/unmounted/shop\n" in printed
    )
    assert "`aigym-db server gc --missing-projects` deletes the data that was kept." in printed
    assert document["kept"] == [str(homes["missing"])]
    assert all(home.is_dir() for home in homes.values())


def test_data_of_a_missing_project_is_deleted_on_request_after_it_is_listed(
    homes: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project = ProjectInProcess(tmp_path, capsys)

    done = project("--format", "json", "server", "gc", "--missing-projects")

    assert f"deleting {homes['missing']}: local server of the missing folder" in done.err
    assert str(homes["missing"]) in done.document["removed"]
    assert done.document["kept"] == []
    assert (homes["present"].is_dir(), homes["missing"].exists()) == (True, False)
