"""Where the strategy of a table is read: the database, a card, the configuration."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from aigym_db.database.connect import connect
from aigym_db.errors import BadCommandLine, BadConfig
from aigym_db.partitions.strategy import Strategy, chosen, provided_objects, strategies
from aigym_db.project.config import find
from tests.support.command import ProjectInProcess

Visitor = psycopg.Connection[tuple[object, ...]]
CARD = """\
-- app.logs: a line of a log.
-- tenancy: system
-- owner: -
-- tenant: -
-- parent: -
-- mfa: none
-- personal: -
-- basis: -
-- retention: 90
-- audit: none
-- rows: 1000
-- partition: range day day keep 90
create table app.logs (day date not null) partition by range (day);
"""
STORED = """
create schema ops;
create table ops.partition_strategies (
  schema_name text, table_name text, partition_type text, partition_key text, partition_interval text,
  premake int, retention interval, auto_create boolean, auto_detach boolean, auto_drop boolean,
  archive_before_drop boolean
);
insert into ops.partition_strategies values
  ('app', 'events', 'range', 'created_at', 'month', 5, '2 years 1 month', true, false, true, false),
  ('app', 'missing', 'range', 'created_at', 'month', 5, null, true, true, true, true),
  ('app', 'people', 'hash', 'id', null, 5, null, false, false, false, false);
"""


def add_card(project: ProjectInProcess) -> None:
    project.write("schema/domains.toml", "[[domain]]\nname = 'app'\npurpose = 'Tests.'\nowner = 'tests'\n")
    project.write("schema/app/_schema.sql.j2", "create schema app;\n")
    project.write("schema/app/logs.sql.j2", CARD)


def read(dsn: str, folder: Path) -> dict[str, Strategy]:
    with closing(connect(dsn, autocommit=True)) as connection:
        known = strategies(connection, find(folder), provided_objects(connection))
    return {strategy.table: strategy for strategy in known}


def test_cards_and_the_setting_are_the_strategies_of_a_project(
    visitor: Visitor, database: str, project: ProjectInProcess
) -> None:
    add_card(project)

    assert read(database, project.folder) == {
        "app.events": Strategy("app.events", "created_at", "month", premade=13, keep=3),
        "app.logs": Strategy("app.logs", "day", "day", premade=60, keep=90),
    }


def test_a_row_of_the_database_is_used_before_the_setting(
    visitor: Visitor, database: str, project: ProjectInProcess
) -> None:
    visitor.execute(STORED.encode())

    assert read(database, project.folder) == {
        "app.events": Strategy(
            "app.events", "created_at", "month", 5, 25, detach=False, drop=True, archive=False
        )
    }


def test_two_descriptions_of_one_table_are_an_error(
    visitor: Visitor, database: str, project: ProjectInProcess
) -> None:
    add_card(project)
    project.append("aigym-db.toml", '"app.logs" = "range day month keep 3"\n')

    with pytest.raises(BadConfig, match=r"app\.logs is defined twice"):
        read(database, project.folder)


def test_a_table_without_a_strategy_is_an_error_with_the_most_similar_name() -> None:
    known = (Strategy("app.events", "created_at", "month", 13),)

    with pytest.raises(BadCommandLine) as raised:
        chosen(known, ("app.event",))

    assert raised.value.hint == "Write `app.events`."


@pytest.mark.parametrize(
    "text", ["range day week keep 3", "range day month", "hash id 4", "range day month keep 0"]
)
def test_another_form_of_the_setting_is_an_error(project: ProjectInProcess, text: str) -> None:
    project.write("aigym-db.toml", f'[partitions]\n"app.logs" = "{text}"\n')

    with pytest.raises(BadConfig, match=r"must be `range COLUMN day\|month keep N`"):
        find(project.folder)
