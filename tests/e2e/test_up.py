"""`up` on a project with errors: its exit status, and what it checks before it changes the database."""

from __future__ import annotations

import shutil


def test_up_and_verify_exit_alike_and_only_up_requires_the_seed_sets(
    stopped_shop, database: str, monkeypatch
) -> None:
    shop = stopped_shop
    shutil.move(shop.folder / "seeds/development", shop.folder / "development")

    migrated = shop("--database", database, "migrate")
    unseeded = shop("up")
    shutil.move(shop.folder / "development", shop.folder / "seeds/development")
    # The templates have a table that no migration creates: HIST05.
    shop.append("schema/app/_schema.sql.j2", "\ncreate sequence app.numbers;\n")
    verified, undrafted = shop("--database", database, "verify"), shop("up")

    assert (migrated.status, migrated.err) == (0, "")
    assert unseeded.status == 2
    assert unseeded.err.startswith("error AIG-P002 The setting `seeds` names development")
    assert "migrate" not in unseeded.out
    assert (verified.status, undrafted.status) == (1, 1)
    assert "HIST05" in verified.out and "HIST05" in undrafted.out
