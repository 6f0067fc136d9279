"""Names of servers, and the errors for unknown or unusable servers."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from aigym_db.database.servers.binaries import available, find
from aigym_db.database.servers.throwaway import throwaway
from aigym_db.errors import ServerUnfit


def test_embedded_is_postgresql_18() -> None:
    assert find("embedded") == find("embedded:18")


@pytest.mark.parametrize("name", available())
def test_an_available_name_is_found(name: str) -> None:
    assert find(name).name == name


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("container", "for temporary databases"),
        ("container:postgres:17", "for temporary databases"),
        ("embedded:17", "no embedded PostgreSQL 17"),
        ("system:9", "not installed"),
        ("embedded:", "no server called"),
        ("embedded:x", "no server called"),
        ("embeded", "no server called"),
        ("", "no server called"),
        ("path:", "no server called"),
        ("path:opt/postgresql", "not an absolute path"),
        ("path:/nowhere/at/all", "holds no PostgreSQL"),
    ],
)
def test_an_unusable_name_is_rejected_with_a_hint(name: str, message: str) -> None:
    with pytest.raises(ServerUnfit) as raised:
        find(name)

    assert message in raised.value.message
    assert raised.value.hint


def test_a_path_to_an_installation_is_a_server_name(open_folder: Path) -> None:
    embedded = find("embedded:16")
    own = open_folder / "own"
    own.symlink_to(embedded.prefix)

    with throwaway(f"path:{own}") as server, psycopg.connect(server.dsn()) as connection:
        version = connection.execute("select current_setting('server_version_num')::int / 10000").fetchone()

    assert (server.name, server.major, version) == (f"path:{own}", 16, (16,))


def test_a_folder_of_another_program_is_rejected_with_its_output(open_folder: Path) -> None:
    for name in ("postgres", "initdb"):
        program = open_folder / "bin" / name
        program.parent.mkdir(exist_ok=True)
        program.write_text("#!/bin/sh\necho 'a game, version 17'\n")
        program.chmod(0o755)

    with pytest.raises(ServerUnfit) as raised:
        find(f"path:{open_folder}")

    assert "do not report a version of PostgreSQL" in raised.value.message
    assert raised.value.detail == "a game, version 17"
    assert raised.value.hint


def test_a_missing_package_names_the_unsupported_systems(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aigym_db.database.servers.binaries._package", lambda: None)

    with pytest.raises(ServerUnfit) as raised:
        find("embedded")

    assert "Alpine" in raised.value.detail
    assert "Intel" in raised.value.detail


def test_an_old_package_without_this_major_version_has_a_hint(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("aigym_db.database.servers.binaries._package", lambda: tmp_path)

    with pytest.raises(ServerUnfit) as raised:
        find("embedded")

    assert "0.6" in raised.value.hint


def test_programs_that_cannot_be_executed_are_rejected(
    monkeypatch: pytest.MonkeyPatch, open_folder: Path, own_cache: Path
) -> None:
    programs = open_folder / "package" / "pginstall18" / "bin"
    programs.mkdir(parents=True)
    (programs / "postgres").write_bytes(b"\x7fELF of another system")
    (programs / "initdb").write_bytes(b"\x7fELF of another system")
    (programs / "initdb").chmod(0o755)
    monkeypatch.setattr("aigym_db.database.servers.binaries._package", lambda: open_folder / "package")

    with pytest.raises(ServerUnfit) as raised, throwaway():
        pass

    assert "the server `system`" in raised.value.hint
