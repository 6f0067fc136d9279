"""Errors of PostgreSQL as they are printed."""

from __future__ import annotations

import psycopg


def test_a_drafted_line_that_fails_is_shown_in_its_template_too(shop, database) -> None:
    assert shop("--database", database, "migrate", "--to", "1").status == 0
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("create schema app")

    seen = shop("--database", database, "migrate")

    assert seen.status == 4
    assert "migrations/0002_app_notes.sql:" in seen.err
    line = next(line for line in seen.err.splitlines() if "TEMPLATE: " in line)
    file, number, column = line.split("TEMPLATE: ")[1].split(":")
    assert (file, column) == ("schema/app/_schema.sql.j2", "1")
    assert "create schema app" in (shop.folder / file).read_text().splitlines()[int(number) - 1]


def test_a_whole_run_can_be_one_transaction(shop, database) -> None:
    config = (shop.folder / "aigym-db.toml").read_text()
    shop.write("aigym-db.toml", f'transaction = "run"\n{config}')
    shop.migration("0003_wrong", "select 1 / 0;")
    shop("freeze")

    seen = shop("--database", database, "migrate")

    assert (seen.status, "no migration was applied" in seen.err) == (4, True)
    with psycopg.connect(database) as connection:
        assert connection.execute("select count(*) from aigym_db.applied").fetchone() == (0,)
