"""Rolling back restores the previous catalog, for any sequence of migrations and any version."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import psycopg
import pytest
from hypothesis import Phase, given, note, settings
from hypothesis import strategies as st

from aigym_db.database.catalog import snapshot
from aigym_db.database.ledger import applied
from aigym_db.database.servers.databases import temporary_database
from aigym_db.database.servers.server import Throwaway
from aigym_db.migrate.apply import migrate
from aigym_db.migrate.rollback import rollback
from aigym_db.model.catalog import Catalog
from aigym_db.model.migration import Migration
from aigym_db.model.source import Source
from aigym_db.project.migrations import parse

BOUNDED = settings(deadline=None, derandomize=True, max_examples=20, phases=[Phase.explicit, Phase.generate])
Change = tuple[str, str]
"""The statement of a change and its inverse."""


@dataclass
class Database:
    """The objects created so far that later changes use."""

    tables: dict[str, list[str]] = field(default_factory=dict)
    """The columns of each table, in order; the first is the primary key."""
    types: list[str] = field(default_factory=list)
    plain: dict[str, list[str]] = field(default_factory=lambda: {"comment": [], "default": []})
    """The tables without a comment, and those whose key has no default: only for these the inverse is the
    same statement."""
    count: int = 0

    def name(self, kind: str) -> str:
        """Return an unused name; every third one needs quotes."""
        self.count += 1
        return f'"{kind} Ö{self.count}"' if self.count % 3 == 0 else f"{kind}_{self.count}"


Kind = Callable[[Database, Callable[[list[str]], str]], Change]


def create_table(now: Database, choose: Callable[[list[str]], str]) -> Change:
    table, columns = now.name("t"), [now.name("c"), now.name("c")]
    now.tables[table] = columns
    for tables in now.plain.values():
        tables.append(table)
    return (
        f"create table app.{table} ({columns[0]} bigint primary key, {columns[1]} text default 'ü')",
        f"drop table app.{table}",
    )


def add_column(now: Database, choose: Callable[[list[str]], str]) -> Change:
    table, column = choose(sorted(now.tables)), now.name("c")
    kind = choose(["int", "numeric(8, 2) not null default 1.5", "text[]", "timestamptz", *now.types])
    now.tables[table].append(column)
    return f"alter table app.{table} add {column} {kind}", f"alter table app.{table} drop {column}"


def rename_column(now: Database, choose: Callable[[list[str]], str]) -> Change:
    table = choose(sorted(now.tables))
    column, new = choose(now.tables[table]), now.name("c")
    now.tables[table][now.tables[table].index(column)] = new
    rename = f"alter table app.{table} rename {{}} to {{}}"
    return rename.format(column, new), rename.format(new, column)


def rename_table(now: Database, choose: Callable[[list[str]], str]) -> Change:
    table, new = choose(sorted(now.tables)), now.name("t")
    now.tables[new] = now.tables.pop(table)
    for tables in now.plain.values():
        tables[:] = [new if name == table else name for name in tables]
    return f"alter table app.{table} rename to {new}", f"alter table app.{new} rename to {table}"


def create_index(now: Database, choose: Callable[[list[str]], str]) -> Change:
    table, index = choose(sorted(now.tables)), now.name("i")
    column = choose(now.tables[table])
    return f"create index {index} on app.{table} ({column})", f"drop index app.{index}"


def add_foreign_key(now: Database, choose: Callable[[list[str]], str]) -> Change:
    table, other, key = choose(sorted(now.tables)), choose(sorted(now.tables)), now.name("k")
    column = now.tables[table][0]
    return (
        f"alter table app.{table} add constraint {key} foreign key ({column}) references app.{other}",
        f"alter table app.{table} drop constraint {key}",
    )


def add_check(now: Database, choose: Callable[[list[str]], str]) -> Change:
    table, name = choose(sorted(now.tables)), now.name("k")
    return (
        f"alter table app.{table} add constraint {name} check ({now.tables[table][0]} > 0)",
        f"alter table app.{table} drop constraint {name}",
    )


def set_default(now: Database, choose: Callable[[list[str]], str]) -> Change:
    if not now.plain["default"]:
        return create_sequence(now, choose)
    table = choose(now.plain["default"])
    now.plain["default"].remove(table)
    column = f"alter table app.{table} alter {now.tables[table][0]}"
    return f"{column} set default 7", f"{column} drop default"


def create_type(now: Database, choose: Callable[[list[str]], str]) -> Change:
    kind = now.name("e")
    now.types.append(f"app.{kind}")
    return f"create type app.{kind} as enum ('a', 'ö')", f"drop type app.{kind}"


def create_view(now: Database, choose: Callable[[list[str]], str]) -> Change:
    table, view = choose(sorted(now.tables)), now.name("v")
    return f"create view app.{view} as select * from app.{table}", f"drop view app.{view}"


def create_trigger(now: Database, choose: Callable[[list[str]], str]) -> Change:
    table, name = choose(sorted(now.tables)), now.name("f")
    return (
        f"create function app.{name}() returns trigger language plpgsql as $$ begin return new; end; $$;\n"
        f"create trigger {name} before insert on app.{table} for each row execute function app.{name}()",
        f"drop trigger {name} on app.{table};\ndrop function app.{name}()",
    )


def add_policy(now: Database, choose: Callable[[list[str]], str]) -> Change:
    table, policy = choose(sorted(now.tables)), now.name("p")
    return f"create policy {policy} on app.{table} using (true)", f"drop policy {policy} on app.{table}"


def comment(now: Database, choose: Callable[[list[str]], str]) -> Change:
    if not now.plain["comment"]:
        return create_sequence(now, choose)
    table = choose(now.plain["comment"])
    now.plain["comment"].remove(table)
    statement = f"comment on table app.{table} is"
    return f"{statement} 'it''s; $$ 😀'", f"{statement} null"


def create_sequence(now: Database, choose: Callable[[list[str]], str]) -> Change:
    name = now.name("s")
    return f"create sequence app.{name} start 5; select nextval('app.{name}')", f"drop sequence app.{name}"


KINDS: tuple[Kind, ...] = (
    create_table,
    add_column,
    rename_column,
    rename_table,
    create_index,
    add_foreign_key,
    add_check,
    set_default,
    create_type,
    create_view,
    create_trigger,
    add_policy,
    comment,
    create_sequence,
)


@st.composite
def chains(draw: st.DrawFn) -> tuple[Migration, ...]:
    """Return three to six files of one to four changes; the first creates the schema and a table."""
    now = Database()
    files = []
    for version in range(1, draw(st.integers(3, 6)) + 1):
        changes = [("create schema app", "drop schema app"), create_table(now, str)] if version == 1 else []
        for kind in draw(st.lists(st.sampled_from(KINDS), min_size=1, max_size=4)):
            changes.append(kind(now, lambda choices: draw(st.sampled_from(choices))))
        files.append(_file(version, changes, non_transactional=draw(st.booleans())))
    return tuple(files)


def _file(version: int, changes: list[Change], *, non_transactional: bool) -> Migration:
    option = " transaction:false" if non_transactional else ""
    ups = ";\n".join(up for up, _ in changes)
    downs = ";\n".join(down for _, down in reversed(changes))
    text = f"-- migrate:up{option}\n{ups};\n-- migrate:down{option}\n{downs};\n"
    name = f"step_{version}"
    return parse(Source(f"migrations/{version:04d}_{name}.sql", text), version, name)


@contextmanager
def fresh(server: Throwaway) -> Iterator[str]:
    with temporary_database(server) as created:
        yield created.dsn


def catalog_of(dsn: str) -> Catalog:
    with psycopg.connect(dsn, autocommit=True) as connection:
        return snapshot(connection)


def applied_versions(dsn: str) -> list[int]:
    with psycopg.connect(dsn, autocommit=True) as connection:
        return [row.version for row in applied(connection)]


@pytest.mark.exhaustive
@BOUNDED
@given(st.data(), chains())
def test_a_version_has_the_same_catalog_after_migrating_and_after_rolling_back(
    server: Throwaway, data: st.DataObject, chain: tuple[Migration, ...]
) -> None:
    stop = data.draw(st.integers(0, len(chain) - 1))
    note("\n".join(migration.up.source.text for migration in chain))
    with fresh(server) as dsn:
        empty = catalog_of(dsn)
        migrate(dsn, chain, to=stop or None) if stop else None
        at_stop = catalog_of(dsn)
        migrate(dsn, chain)
        at_end = catalog_of(dsn)

        rollback(dsn, chain, to=stop, yes=True)

        assert catalog_of(dsn).difference(at_stop) == ()
        assert applied_versions(dsn) == list(range(1, stop + 1))
        migrate(dsn, chain)
        assert catalog_of(dsn).difference(at_end) == ()
        rollback(dsn, chain, to=0, yes=True)
        assert catalog_of(dsn).difference(empty) == ()
        assert applied_versions(dsn) == []
