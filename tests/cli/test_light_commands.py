"""What is not needed is not imported: a person waits for every module."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.parametrize("argument", ["--help", "--version"])
def test_what_needs_no_database_imports_no_driver(argument: str) -> None:
    code = (
        "import sys; from aigym_db.cli.main import status; "
        f"status([{argument!r}]); print('psycopg' in sys.modules)"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.splitlines()[-1] == "False"
