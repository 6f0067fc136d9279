"""The memory use of a large file."""

from __future__ import annotations

import tracemalloc

from aigym_db.migrate.apply import migrate
from aigym_db.project.text import read_text


def test_a_large_file_is_in_memory_once(tmp_path) -> None:
    text = "insert into t values ('xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx');\n" * 400_000
    (tmp_path / "a.sql").write_text(text)
    del text

    tracemalloc.start()
    read = read_text(tmp_path / "a.sql", "a.sql")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert peak < len(read.text) * 1.3


def test_sending_a_large_file_creates_no_second_copy(database, other, write) -> None:
    migration = write(
        1,
        "create table t (a int, b text);\n"
        + f"insert into t values (1, '{'x' * 90_000}');\n" * 300
        + "copy t (a, b) from stdin;\n"
        + f"1\t{'y' * 99_000}\n" * 200
        + "\\.\n",
    )

    tracemalloc.start()
    migrate(database, (migration,))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert other.execute("select count(*) from t").fetchone() == (500,)
    assert peak < 12_000_000 < len(migration.up.source.text) / 3
