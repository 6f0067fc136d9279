"""Findings of `verify` for a database that differs from the files: ledger and drift."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from aigym_db.database.ledger import applied
from aigym_db.errors import TamperedError
from aigym_db.migrate.history import require_matching_files
from aigym_db.project.migrations import migrations
from aigym_db.verify.verify import verify


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        pytest.param(
            lambda file: file.write_text(file.read_text().replace("name text", "name varchar")),
            "migrations/0002_birds.sql differs from 0002 birds as it was applied.",
            id="edited",
        ),
        pytest.param(
            Path.unlink,
            "0002 birds is applied but missing from migrations/.",
            id="gone",
        ),
        pytest.param(
            lambda file: file.rename(file.with_name("0002_fowl.sql")),
            "0002 birds is applied, and its file was renamed to migrations/0002_fowl.sql.",
            id="renamed",
        ),
    ],
)
def test_differences_between_files_and_ledger_are_found_and_worded_as_by_migrate(
    project, migrated, change, expected
) -> None:
    change(project.root / "migrations/0002_birds.sql")

    (finding,) = verify(project, dsn=migrated, names=("ledger",)).findings
    with psycopg.connect(migrated, autocommit=True) as connection, pytest.raises(TamperedError) as caught:
        require_matching_files(migrations(project), applied(connection))

    assert finding.message == caught.value.message == expected


@pytest.mark.parametrize(
    ("change", "expected", "level"),
    [
        (
            "alter table app.birds disable trigger all; alter table app.birds add column size int",
            "column app.birds.size exists in the database but not after the migrations.",
            "error",
        ),
        ("grant select on app.birds to public", "table app.birds: acl is", "error"),
        (
            "drop table app.birds",
            "table app.birds exists after the migrations but not in the database.",
            "error",
        ),
        (
            "do $$ begin execute format('alter database %I set jit = off', current_database()); end $$",
            "setting jit of all roles in this database exists in the database",
            "warning",
        ),
    ],
)
def test_drift_is_found(project, migrated, findings_text, change, expected, level) -> None:
    with psycopg.connect(migrated, autocommit=True) as connection:
        connection.execute(change.encode())

    verified = verify(project, dsn=migrated, names=("drift",))

    assert expected in findings_text(verified)
    assert level in {finding.level for finding in verified.findings}


def test_drift_of_the_database_itself_names_it(project, migrated, findings_text) -> None:
    with psycopg.connect(migrated, autocommit=True) as connection:
        name = connection.info.dbname
        connection.execute(f"grant create on database {name} to public".encode())

    findings = findings_text(verify(project, dsn=migrated, names=("drift",)))

    assert f"database {name}: acl is `" in findings
    assert "database this" not in findings


def test_the_mark_of_a_production_database_is_no_drift(project, migrated) -> None:
    with psycopg.connect(migrated, autocommit=True) as connection:
        name = connection.info.dbname
        connection.execute(f"alter database {name} set aigym.environment = 'production'".encode())

    assert verify(project, dsn=migrated, names=("drift",)).findings == ()


@pytest.mark.parametrize("owner", ["other_owner", "OtherOwner", "other-owner"])
def test_another_owner_of_the_database_is_no_drift(project, migrated, owner: str) -> None:
    """regrole quotes `OtherOwner`, an ACL item does not; both quote `other-owner`."""
    with psycopg.connect(migrated, autocommit=True) as connection:
        connection.execute(f'create role "{owner}"'.encode())
        connection.execute(f'alter database {connection.info.dbname} owner to "{owner}"'.encode())
    try:
        findings = verify(project, dsn=migrated, names=("drift",)).findings
    finally:
        with psycopg.connect(migrated, autocommit=True) as connection:
            connection.execute(f'reassign owned by "{owner}" to postgres; drop role "{owner}"'.encode())

    (role,) = findings
    assert "exists in the database but not after the migrations" in role.message


def test_pending_migrations_are_no_drift(project, migrated, write) -> None:
    write("migrations/0003_more.sql", "-- migrate:up\ncreate table app.more ();\n-- migrate:down\n")

    assert verify(project, dsn=migrated, names=("drift", "ledger")).findings == ()
