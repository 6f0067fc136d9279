"""Templates and migrations that do not produce the same database.

`schema/` and `policies/` describe the current database, `migrations/` its history. The check runs both on
empty databases and compares the catalogs, fact by fact: tables, columns and their order, constraints,
indexes, policies, functions, privileges, owners, comments, roles.

What to do: draft the missing migration with `aigym-db new NAME`, or correct the template if the migrations
are right. Changes of existing tables and types are not drafted: write ALTER TABLE or ALTER TYPE in the file
of `aigym-db new NAME --empty`.

breaks: edit schema/app/birds.sql.j2: name text -> name varchar(9)
finding: column app.birds.name: type is `text` after the migrations
"""

from __future__ import annotations

from collections.abc import Iterator

from aigym_db.verify.check import CheckFailure, check
from aigym_db.verify.context import VerifyContext
from aigym_db.verify.differences import failures
from aigym_db.verify.locate import place_of_key


@check("HIST05", "state-is-history", needs="state")
def state_is_history(context: VerifyContext) -> Iterator[CheckFailure]:
    """Yield a failure for each object that differs between the templates and the migrations."""
    yield from failures(
        context.history.difference(context.state),
        "after the migrations",
        "in the templates",
        place=lambda key: place_of_key(context, key),
        advice="Draft the missing migration with `aigym-db new NAME`, or correct the template. Write a "
        "change of an existing table or type by hand: `aigym-db new NAME --empty`, "
        "then ALTER TABLE or ALTER TYPE.",
    )
