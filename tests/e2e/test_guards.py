"""Guards: drafts, production, data loss, and read-only databases."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import closing

import psycopg
import pytest

from aigym_db.database.dsn import parameters
from tests.support.waiting import PROCESS_TIMEOUT_S

LABELS = "create table app.labels (name text);"


def execute(dsn: str, *statements: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as connection:
        list(map(connection.execute, map(str.encode, statements)))


@pytest.fixture
def with_rows(shop, migrated: str) -> str:
    """A database whose newest migration made a table that holds two rows."""
    shop.migration("0003_labels", LABELS, "drop table app.labels;")
    assert shop("freeze").status == 0
    assert shop("--database", migrated, "migrate").status == 0
    execute(migrated, "insert into app.labels values ('one'), ('two')")
    return migrated


def test_drafts_are_applied_to_the_local_database_only(shop, migrated, holdings) -> None:
    shop.migration("0003_labels", LABELS)
    held = holdings(migrated)

    seen = shop("--database", migrated, "migrate")

    assert seen.status == 3
    assert seen.err == (
        "error AIG-G001 0003 labels is not frozen. Only the project's own local database accepts drafts.\n"
        "  --> migrations/0003_labels.sql:1:1\n"
        "  1 | -- migrate:up\n"
        "    | ^\n"
        "  hint: Run `aigym-db freeze` and commit migrations/LOCK.\n"
    )
    assert holdings(migrated) == held


def test_the_local_database_is_known_by_its_address_too(local_shop, up_once) -> None:
    seen = local_shop("--database", up_once.dsn, "status")

    assert (seen.status, "2 applied, 0 pending" in seen.out) == (0, True)


@pytest.mark.parametrize("words", [("seed", "development"), ("seed", "test")])
def test_test_data_is_rejected_on_production(shop, migrated, holdings, words) -> None:
    name = parameters(migrated)["dbname"]
    execute(migrated, f"alter database {name} set aigym.environment = 'production'")
    held = holdings(migrated)

    seen = shop("--database", migrated, *words)

    assert (seen.status, seen.out) == (3, "")
    assert f"error AIG-G002 The database {name} is production" in seen.err
    assert "hint: Choose another database" in seen.err
    assert holdings(migrated) == held


def test_reference_data_is_loaded_on_production(shop, migrated) -> None:
    name = parameters(migrated)["dbname"]
    execute(migrated, f"alter database {name} set aigym.environment = 'production'")
    shop.write(
        "seeds/reference/1.sql", "insert into app.notes (owner_id, title) select gen_random_uuid(), 'a';"
    )

    seen = shop("--database", migrated, "seed", "reference")

    assert (seen.status, seen.out.partition(" to ")[0]) == (0, "Seed set reference: 1 rows written")


@pytest.mark.parametrize("words", [("rollback",), ("rollback", "--to", "0"), ("rollback", "--steps", "2")])
def test_a_rollback_with_data_loss_needs_yes(shop, with_rows, holdings, words) -> None:
    held = holdings(with_rows)

    seen = shop("--database", with_rows, *words)

    assert (seen.status, seen.out) == (3, "")
    assert re.match(r"error AIG-G003 Rolling back 0003 labels.* would destroy data\.\n", seen.err)
    assert "--> migrations/0003_labels.sql:" in seen.err
    assert "app.labels: 2 rows" in seen.err
    assert "hint: Make a backup, then run this again with --yes." in seen.err
    assert holdings(with_rows) == held


def test_a_rollback_with_data_loss_runs_with_yes(shop, with_rows) -> None:
    seen = shop("--database", with_rows, "rollback", "--yes")

    assert (seen.status, seen.out.splitlines()[-1]) == (0, "1 rolled back.")


def test_an_irreversible_migration_is_not_rolled_back(shop, migrated, holdings) -> None:
    shop.write("migrations/0003_x.sql", "-- 0003 x\n-- migrate:up\n-- migrate:down irreversible: 🎉\n")
    shop("freeze")
    shop("--database", migrated, "migrate")
    held = holdings(migrated)

    seen = shop("--database", migrated, "rollback", "--to", "1")

    assert (seen.status, seen.out) == (3, "")
    assert seen.err == (
        "error AIG-G004 0003 x cannot be rolled back: 🎉\n"
        "  --> migrations/0003_x.sql:3:1\n"
        "  3 | -- migrate:down irreversible: 🎉\n"
        "    | ^\n"
        "  hint: Correct the schema in a new migration: `aigym-db new NAME`.\n"
    )
    assert holdings(migrated) == held


def test_an_irreversible_migration_below_the_newest_one_is_the_limit_of_a_rollback(shop, migrated) -> None:
    shop.write("migrations/0003_x.sql", "-- 0003 x\n-- migrate:up\n-- migrate:down irreversible: 🎉\n")
    shop.migration("0004_y", "select 1;")
    shop("freeze")
    shop("--database", migrated, "migrate")

    seen = shop("--database", migrated, "rollback", "--to", "1")

    assert "hint: Roll back no further than `--to 3`, or correct the schema in a new migration" in seen.err


def test_the_wait_for_another_runner_ends_after_its_limit(shop, migrated, spawn, wait_for) -> None:
    shop.migration("0003_slow", "select pg_advisory_xact_lock_shared(777);")
    shop("freeze")
    with closing(psycopg.connect(migrated, autocommit=True)) as gate:
        gate.execute("select pg_advisory_lock(777)")
        other = spawn(shop.folder, "--database", migrated, "migrate")
        wait_for(gate, "select 1 from pg_locks where locktype = 'advisory' and objid = 777 and not granted")

        seen = shop("--database", migrated, "migrate", "--lock-wait", "0")

        gate.execute("select pg_advisory_unlock(777)")
        out, _ = other.communicate(timeout=PROCESS_TIMEOUT_S)
    assert (seen.status, seen.out) == (6, "")
    assert "error AIG-L001 Another aigym-db is migrating this database." in seen.err
    assert re.search(r"^  held by pid \d+ \(aigym-db\)", seen.err, re.MULTILINE)
    assert "hint: Wait for it to finish" in seen.err
    assert (other.returncode, out.splitlines()[-1]) == (0, "1 applied.")


@pytest.fixture(
    params=[
        ("alter role {role} set default_transaction_read_only = on", "read-only here"),
        ("", "may not read and write the ledger"),
    ],
    ids=["a role that only reads", "a role without rights on the ledger"],
)
def reader(request: pytest.FixtureRequest, role: Callable[[str], str], migrated: str) -> tuple[str, str]:
    """The DSN of a role that may not migrate, and why."""
    statement, why = request.param
    return role(statement), why


def test_a_role_without_write_permission_is_rejected_before_any_change(
    shop, migrated, holdings, reader
) -> None:
    dsn, why = reader
    shop.migration("0003_labels", LABELS)
    shop("freeze")
    held = holdings(migrated)

    seen = shop("--database", dsn, "migrate")

    assert (seen.status, seen.out) == (4, "")
    assert re.match(rf"error AIG-S005 .*{why}.*\n  hint: Connect ", seen.err)
    assert holdings(migrated) == held


def test_a_role_without_write_permission_cannot_roll_back_or_seed(shop, migrated, holdings, reader) -> None:
    held = holdings(migrated)

    rolled_back, seeded = (
        shop("--database", reader[0], "rollback"),
        shop("--database", reader[0], "seed", "test"),
    )

    assert (rolled_back.status, seeded.status) == (4, 4)
    assert "AIG-S005" in rolled_back.err
    assert "hint: Run `aigym-db migrate` first, or connect as a role that may act as app_owner." in seeded.err
    assert holdings(migrated) == held


def test_a_read_only_role_can_run_status_and_verify(shop, migrated, reader) -> None:
    dsn, _ = reader

    status, verified = shop("--database", dsn, "status"), shop("--database", dsn, "verify", "ledger", "lock")

    assert (status.status, "2 applied, 0 pending" in status.out) == (0, True)
    assert "This role has no permission to read which migrations are partially applied." in status.out
    assert "partially applied" not in shop("--database", migrated, "status").out
    assert shop("--format", "json", "--database", dsn, "status").document["unfinished"] is None
    assert (verified.status, verified.out) == (0, "2 checks, no findings.\n")
