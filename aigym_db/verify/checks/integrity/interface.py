"""A change of a recorded interface.

Programs outside the database depend on the names, types and privileges of the schemas that an API exposes.
`schema/<schema>/_interface.txt` records them, one fact a line; `aigym-db interface SCHEMA --write` writes the
file. The check compares it with the database. A recorded fact that the database lacks is an error, because a
program may depend on it; a fact that is not recorded yet is a warning.

What to do: restore what was removed, or offer the new form beside the old one, in a new schema such as
`api_v2`. If no program uses the fact any more, or for an addition, write the file again and commit it.

breaks: write schema/app/_interface.txt: table app.birds
      app.birds.wings integer
finding: app.birds.wings integer
"""

from __future__ import annotations

from collections.abc import Iterator

from aigym_db.database.interface import read_interface
from aigym_db.project.interface_files import recorded_interfaces
from aigym_db.verify.check import CheckFailure, check
from aigym_db.verify.context import VerifyContext


@check("INT04", "interface", needs="database")
def interface(context: VerifyContext) -> Iterator[CheckFailure]:
    """Yield an error for each recorded fact that is missing, and a warning for each that is not recorded."""
    for schema, source in recorded_interfaces(context.project).items():
        write = f"`aigym-db interface {schema} --write`"
        recorded = source.text.removesuffix("\n").split("\n")
        current = read_interface(context.database, schema).lines()
        start = 0
        for line in recorded:
            if line.strip() and line not in current:
                yield CheckFailure(
                    f"The interface of {schema} lacks: {line.strip()}",
                    source.place(start),
                    "Apply the migration that creates it, restore it, or offer the new form in another "
                    f"schema. If no program uses it: {write}.",
                )
            start += len(line) + 1
        for line in current:
            if line not in recorded:
                yield CheckFailure(
                    f"The interface of {schema} has an addition that is not recorded: {line.strip()}",
                    source.place(0),
                    f"Record it: {write}.",
                    "warning",
                )
