"""Fixtures of the lint tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest

from aigym_db.lint.engine import lint
from aigym_db.lint.section import Section
from aigym_db.model.source import Source

ROLES = ("anon", "authenticated")
EXAMPLE_ROLES = ("lint_reporting", "lint_helpers", "lint_app")

BEFORE = """
create schema coach;
create table coach.coaches (id bigint primary key, name text);
create table coach.sessions (
    id integer primary key, coach_id bigint, title varchar(20), note varchar, price numeric(8,2),
    at timestamp(3), ip cidr, length interval(2), bits bit varying(8), rating integer, checked integer,
    constraint sessions_checked_set check (checked is not null)
);
create table coach.events (at timestamptz not null, note text) partition by range (at);
"""


@pytest.fixture
def rules_hit() -> Callable[[str], list[str]]:
    """Return the names of the rules violated by SQL that runs after tables with rows were created."""

    def rules_hit(sql: str) -> list[str]:
        given, text = Source("before.sql", BEFORE), Source("after.sql", sql)
        sections = [Section(given, 0, len(given.text), batch=0), Section(text, 0, len(text.text), batch=1)]
        return [finding.rule for finding in lint(sections)]

    return rules_hit


@pytest.fixture
def lint_roles(server: Any) -> Iterator[None]:
    """Create the roles that examples refer to, and drop those that examples create."""
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        for role in ROLES:
            connection.execute(
                f"do $$ begin if to_regrole('{role}') is null then create role {role} nologin; end if; end $$"
            )
        yield
        for role in EXAMPLE_ROLES:
            connection.execute(f"drop role if exists {role}")
