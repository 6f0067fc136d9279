"""The migrations: the same SQL for every tool."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

ONE_TABLE = """create table {name} (
  id bigint generated always as identity primary key,
  name text not null,
  created_at timestamptz not null default now()
);
comment on table {name} is 'The table of one migration of the benchmark.';
"""
MIXED = """create table {name} (
  id bigint generated always as identity primary key,
  name text not null,
  created_at timestamptz not null default now()
);
create table {name}_part (
  id bigint generated always as identity primary key,
  {name}_id bigint not null references {name} on delete cascade,
  amount numeric(12, 2) not null default 0
);
create type {name}_state as enum ('open', 'closed');
alter table {name} add column state {name}_state not null default 'open';
alter table {name} add column note text;
insert into {name} (name) select 'row ' || number from generate_series(1, 20) as number;
insert into {name}_part ({name}_id, amount) select id, id * 1.5 from {name};
update {name} set note = 'It''s number ' || id where id % 2 = 0;
alter table {name} add constraint {name}_name_not_empty check (name <> '');
create index {name}_created_at_idx on {name} (created_at);
create unique index {name}_name_idx on {name} (name);
create index {name}_part_{name}_id_idx on {name}_part ({name}_id);
create function {name}_total(wanted bigint) returns numeric language sql stable
  as $$ select coalesce(sum(amount), 0) from {name}_part where {name}_id = wanted $$;
create function {name}_touch() returns trigger language plpgsql as $$
begin
  new.note := coalesce(new.note, '') || '; touched';
  return new;
end
$$;
create trigger {name}_touched before update on {name} for each row execute function {name}_touch();
create view {name}_open as select id, name, created_at from {name} where state = 'open';
grant select on {name}, {name}_open to pg_monitor;
delete from {name}_part where amount > 25;
comment on table {name} is 'A table; of the benchmark.';
comment on column {name}.note is 'What people wrote.';
"""
MIXED_DOWN = """drop view {name}_open;
drop table {name}_part, {name};
drop function {name}_touch(), {name}_total(bigint);
drop type {name}_state;
"""
BIG = "insert into table_1 (name) values ('row {number:07d}, as long as the rows of a real table are');\n"


@dataclass(frozen=True, slots=True)
class Migration:
    """A migration, up and down."""

    version: int
    name: str
    up: str
    down: str

    @property
    def label(self) -> str:
        return f"{self.version:04d}_{self.name}"


@dataclass(frozen=True, slots=True)
class Chain:
    """An ordered sequence of migrations."""

    migrations: tuple[Migration, ...]
    tables_each: int = 1
    """Number of tables that each migration creates, with names beginning with `table_`."""
    rows: int = 0
    """Number of rows in `table_1` at the end."""

    def __len__(self) -> int:
        return len(self.migrations)

    def first(self, count: int) -> Chain:
        """Return the first `count` migrations as a chain."""
        return Chain(self.migrations[:count], self.tables_each, self.rows)


def one_table(count: int) -> Chain:
    """Return migrations of one table with a comment each."""
    return Chain(tuple(_numbered(count, ONE_TABLE, "drop table {name};\n")))


def mixed(count: int) -> Chain:
    """Return migrations of 20 statements of many kinds each."""
    return Chain(tuple(_numbered(count, MIXED, MIXED_DOWN)), tables_each=2)


def big(size_bytes: int) -> Chain:
    """Return one migration of about `size_bytes`: a table and an INSERT for every row."""
    rows = size_bytes // len(BIG.format(number=0))
    inserts = "".join(BIG.format(number=number) for number in range(rows))
    up = "create table table_1 (id bigint generated always as identity primary key, name text not null);\n"
    return Chain((Migration(1, "table_1", up + inserts, "drop table table_1;\n"),), rows=rows)


def _numbered(count: int, up: str, down: str) -> Iterator[Migration]:
    for version in range(1, count + 1):
        name = f"table_{version}"
        yield Migration(version, name, up.format(name=name), down.format(name=name))
