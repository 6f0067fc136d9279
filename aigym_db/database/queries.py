"""Our own SQL: one statement per file below `aigym_db/sql/`."""

from __future__ import annotations

from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent.parent / "sql"


@cache
def query(name: str) -> str:
    """The statement in `aigym_db/sql/<name>.sql`, e.g. `query("ledger/applied")`.

    Raises FileNotFoundError when there is no such file: that is a mistake of ours, not of a reader.
    """
    return (FOLDER / f"{name}.sql").read_text(encoding="utf-8")
