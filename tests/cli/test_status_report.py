"""The list of applied migrations that `status` prints."""

from __future__ import annotations


def test_status_states_how_many_applied_migrations_it_does_not_list(migrated) -> None:
    lines = migrated.run("status").out.splitlines()

    assert lines[1] == "  … 1 earlier migration"
    assert [line.split()[1] for line in lines[2:]] == ["0002", "0003", "0004"]
