"""The queries of queries.toml: who makes them, the SQL, and the goals."""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass
from pathlib import Path

QUERIES = Path(__file__).with_name("queries.toml")
LOOKUP_MS, LIST_MS, PERMISSION_MS = 5.0, 50.0, 1.0
GOALS_MS = {"permission": PERMISSION_MS, "lookup": LOOKUP_MS, "list": LIST_MS}
"""The greatest P95 by kind of query, in milliseconds."""


@dataclass(frozen=True, slots=True)
class Query:
    """One named query."""

    name: str
    kind: str
    """`permission` (a function in authz), `lookup`, `list`, or `job`, which has no goal."""
    sql: str
    role: str
    """The database role: `authenticated`, or a role such as `service_role` that makes the query itself."""
    person: str = ""
    """The person of the load, such as `u2`; empty for a role without claims."""
    aal: str = "aal1"
    owner_sql: str = ""
    """The same query for the owner, if it differs: on tables instead of a function with the rules."""

    @property
    def goal_ms(self) -> float | None:
        return GOALS_MS.get(self.kind)

    @property
    def claims(self) -> str:
        """The JSON claims with a placeholder for the id, which is the MD5 of the person."""
        return json.dumps({"sub": "{id}", "role": self.role, "aal": self.aal}) if self.person else ""

    @property
    def who(self) -> str:
        return f"{self.person} ({self.aal})" if self.person else self.role


def read_queries(path: Path = QUERIES) -> tuple[Query, ...]:
    """Return the queries in the order of the file."""
    return tuple(
        Query(**{"role": "authenticated", **entry}) for entry in tomllib.loads(path.read_text())["query"]
    )
