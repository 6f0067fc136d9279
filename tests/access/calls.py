"""The small project with a function that its users can execute, and the cells of its calls."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import psycopg
import pytest

from aigym_db.access.calls import call_outcomes
from aigym_db.access.findings import differing_calls
from aigym_db.access.matrix import AccessMatrix, read_matrix
from aigym_db.errors import BadAccessMatrix

DEFINER = "language plpgsql security definer set search_path = ''"
RENAME = f"""
    create function app.rename(colour text, label text) returns boolean {DEFINER} as $$
    begin
        update app.colours set label = rename.label where code = colour and not retired;
        return found;
    end $$;
    revoke execute on function app.rename from public;
    grant execute on function app.rename to mini_user;
"""
CELLS = """
[functions."app.rename".calls]
live    = ["'teal'", "'Sea'"]
missing = ["'none'", "label => 'Sea'"]
[functions."app.rename".access]
people    = ["true; app.colours ~1", "false"]
no_access = ["anonymous", "service"]
"""


def call_messages(
    connection: psycopg.Connection, matrix: AccessMatrix, only: Collection[str] | None = None
) -> list[str]:
    """Execute calls; return the message of each cell that differs, also if the results are the same."""
    outcomes = call_outcomes(connection, matrix, only)
    return [finding.message for outcome in outcomes for finding in differing_calls([outcome])]


class Calls:
    """The access matrix of a project that a test can change, and its database."""

    def __init__(self, root: Path, connection: psycopg.Connection) -> None:
        self.root = root
        self.connection = connection
        self.file = root / "policies/app.access.toml"
        self.tables = self.file.read_text()
        self.write(CELLS)

    def write(self, cells: str) -> None:
        """Replace the cells of `app.rename`."""
        self.file.write_text(self.tables + cells)

    def messages(self, *changes: str) -> list[str]:
        """Execute statements and all calls; return the message of each cell that differs."""
        for change in changes:
            self.connection.execute(change.encode())
        return call_messages(self.connection, read_matrix(self.root))

    def error(self) -> BadAccessMatrix:
        """Return the error that reading and executing the matrix raises."""
        with pytest.raises(BadAccessMatrix) as raised:
            self.messages()
        return raised.value
