"""Commands import only the modules they need."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.parametrize("argument", ["--help", "--version"])
def test_commands_without_a_database_do_not_import_the_driver(argument: str) -> None:
    code = (
        "import sys; from aigym_db.cli.main import status; "
        f"status([{argument!r}]); print('psycopg' in sys.modules)"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.splitlines()[-1] == "False"
