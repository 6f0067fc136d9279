"""Missing, unknown and duplicate entries of an access matrix are rejected with file and line."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from aigym_db.access.matrix import predicate, read_matrix
from aigym_db.access.trial import trial
from aigym_db.errors import BadAccessMatrix
from aigym_db.model.access import COMMANDS

ACTORS, TABLES, TENANT = "actors.toml", "app.access.toml", "_archetypes/tenant.access.toml"


def edit(root: Path, file: str, old: str, new: str) -> None:
    path = root / "policies" / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


@pytest.mark.parametrize(
    ("file", "old", "new", "message", "line"),
    [
        (ACTORS, 'role  = "mini_anonymous"', "", "The actor `anonymous` has no `role`.", "[actor.anonymous]"),
        (ACTORS, 'sub = "{alice}"', 'sub = "{zoe}"', "`{zoe}` is not one of the people.", "claims  = {"),
        (
            ACTORS,
            '["member", "comember"',
            '["member", "no_access"',
            "contains an actor `no_access`",
            "people =",
        ),
        (
            ACTORS,
            'provides = ["none"]',
            'provides = ["weak"]',
            "`weak` is not one of the levels.",
            "provides =",
        ),
        (
            ACTORS,
            'governs = ["{acme}"]',
            'governs = "{acme}"',
            "is one value for admin and a list",
            "governs =",
        ),
        (ACTORS, 'levels = ["none", "strong"]', "levels = [", "is not valid TOML", ""),
        (ACTORS, 'me      = "{alice}"', 'myself = "{alice}"', "has no key `myself`", "myself ="),
        (
            TABLES,
            '"app.units" = { archetype = "tenant"',
            '"app.units" = { archetype = "tenat"',
            "The archetype `tenat` does not exist",
            '"app.units"',
        ),
        (
            TABLES,
            '"tenant", requires = "none" }',
            '"tenant" }',
            "has no required session level",
            '"app.units"',
        ),
        (
            TABLES,
            'requires      = "strong"',
            'requires      = "weak"',
            "`weak` is not one of the levels",
            "requires ",
        ),
        (
            TABLES,
            'offered = "not retired"',
            'offers = "not retired"',
            "the row class `offered` does not exist",
            '["app.colours"]',
        ),
        (
            TABLES,
            'anonymous = ["offered", "-", ',
            'anonymous = ["offered", ',
            "has 4 cells, not 5",
            "anonymous =",
        ),
        (
            TABLES,
            'anonymous = ["offered"',
            'anonymous = ["offered, all"',
            "is not a valid cell",
            "anonymous =",
        ),
        (
            TABLES,
            "anonymous = [",
            "anonimous = [",
            "The actor or group `anonimous` does not exist",
            "anonimous =",
        ),
        (
            TABLES,
            'no_access = ["anonymous"]',
            "no_access = []",
            "has no cells for the actor `anonymous`",
            '["app.tenants"]',
        ),
        (
            TABLES,
            'no_access = ["anonymous"]',
            'no_access = ["anonymous", "member"]',
            "`member` has two rows",
            'no_access = ["anonymous", "member"]',
        ),
        (
            TABLES,
            "user_id = {me}",
            "user_id = {you}",
            "the class, parameter or value `{you}` does not exist",
            "own      =",
        ),
        (TABLES, 'own_live = "{own} and', 'own_live = "{own_live} and', "contains itself", "own_live ="),
        (
            TABLES,
            "reassignments = {}",
            "",
            "has no list of owner and tenant columns",
            '["app.tenants"]',
        ),
        (
            TABLES,
            'user_id = "me" }',
            'user_id = "you" }',
            "`you` is not a name of actors.toml",
            "reassignments =",
        ),
        (
            TABLES,
            '"governed", "governed"]\nservice = ["all",           "all"',
            '"governed", "own.governed"]\nservice = ["all",           "all"',
            "does not contain a column `own`",
            '["app.memberships"]',
        ),
        (
            TABLES,
            '"governed", "governed"]\nservice = ["all",           "all"',
            '"governed", "governed > gone"]\nservice = ["all",           "all"',
            "the row class `gone` does not exist",
            '["app.memberships"]',
        ),
        (TENANT, "[rows]", "[classes]", "has no key `classes`", "[classes]"),
        (TENANT, 'note = "', 'comment = "', "has no key `comment`", "comment ="),
        (
            TENANT,
            'tenant = "tenant_id"',
            'tenant = "?"',
            "has no value for the parameter `tenant` of its archetype",
            '"app.units"',
        ),
    ],
)
def test_an_invalid_entry_is_rejected_with_its_line(
    mini: Path, file: str, old: str, new: str, message: str, line: str
) -> None:
    edit(mini, file, old, new)

    with pytest.raises(BadAccessMatrix) as raised:
        read_matrix(mini)

    place = raised.value.place
    assert message in raised.value.message
    assert place is not None
    assert place.text.strip().startswith(line)
    assert raised.value.hint


def test_a_table_with_cells_in_two_files_is_rejected(mini: Path) -> None:
    (mini / "policies/other.access.toml").write_text(
        '"app.units" = { archetype = "tenant", requires = "none" }\n'
    )

    with pytest.raises(BadAccessMatrix, match=r"app\.units has access cells in two files"):
        read_matrix(mini)


def test_every_table_actor_and_command_has_a_cell(mini: Path) -> None:
    matrix = read_matrix(mini)

    assert len(matrix.cells) == len(matrix.tables) * len(matrix.actors) * len(COMMANDS)


def test_an_actor_without_the_required_session_level_reaches_no_rows(mini: Path) -> None:
    table_matrix = read_matrix(mini).tables["app.log"]

    assert table_matrix.cells["admin", "select"].classes == ("governed",)
    assert table_matrix.cells["admin_aal1", "select"].classes == ()


def test_the_place_of_a_cell_is_its_row_in_the_file(mini: Path) -> None:
    place = read_matrix(mini).tables["app.notes"].cells["member", "select"].place

    assert place is not None
    assert (place.file, place.text.split("=")[0].strip()) == ("policies/app.access.toml", "people")


def test_the_condition_of_a_row_class_contains_the_values_of_the_actor(mini: Path) -> None:
    matrix = read_matrix(mini)
    table_matrix = matrix.tables["app.notes"]

    assert predicate(table_matrix, ("own_live",), matrix.actors["member"]) == (
        "((user_id = '00000000-0000-0000-0000-000000000001') and deleted_at is null)"
    )
    assert "user_id = null" in predicate(table_matrix, ("own",), matrix.actors["service"])


def test_a_table_without_cells_is_rejected(connection: psycopg.Connection, mini: Path) -> None:
    connection.execute("create table app.forgotten (id int primary key)")

    with pytest.raises(BadAccessMatrix, match=r"1 table has no access cells: app\.forgotten"):
        trial(connection, read_matrix(mini))


def test_tables_of_foreign_schemas_need_no_cells(connection: psycopg.Connection, mini: Path) -> None:
    connection.execute("create schema elsewhere")
    connection.execute("create table elsewhere.theirs (id int primary key)")
    edit(mini, ACTORS, 'levels = ["none", "strong"]', 'levels = ["none", "strong"]\noutside = ["elsewhere"]')

    assert "elsewhere.theirs" not in trial(connection, read_matrix(mini)).fixtures


def test_cells_without_a_table_are_rejected(connection: psycopg.Connection, mini: Path) -> None:
    connection.execute("drop table app.unit_items")

    with pytest.raises(
        BadAccessMatrix, match=r"contains app\.unit_items, but the database has no such table"
    ) as raised:
        trial(connection, read_matrix(mini))

    assert raised.value.place is not None
    assert raised.value.place.text == '["app.unit_items"]'


def test_a_row_class_that_postgresql_rejects_is_reported_with_its_cell(
    connection: psycopg.Connection, mini: Path
) -> None:
    edit(mini, TABLES, "not retired", "not retird")

    with pytest.raises(BadAccessMatrix, match='column "retird" does not exist') as raised:
        trial(connection, read_matrix(mini))

    assert raised.value.place is not None
    assert raised.value.place.text.startswith("anonymous =")


def test_a_reassignment_column_that_the_table_does_not_have_is_rejected(
    connection: psycopg.Connection, mini: Path
) -> None:
    edit(mini, TABLES, 'reassignments = { user_id = "me" }', 'reassignments = { owner_id = "me" }')

    with pytest.raises(BadAccessMatrix, match="column `owner_id` that the table does not have"):
        trial(connection, read_matrix(mini))


def test_a_role_that_does_not_exist_on_the_server_is_rejected(
    connection: psycopg.Connection, mini: Path
) -> None:
    edit(mini, ACTORS, '"mini_service"', '"mini_missing"')

    with pytest.raises(BadAccessMatrix, match="role mini_missing that does not exist on the server"):
        trial(connection, read_matrix(mini))


def test_a_group_can_contain_groups(mini: Path) -> None:
    edit(mini, ACTORS, '"outsider"]', '"outsider"]\nall_users = ["people", "service"]')
    edit(
        mini,
        TABLES,
        'people    = ["offered", "-",    "-",    "-",    "-"]\n'
        'service   = ["all",     "all",  "all",  "all",  "-"]',
        'all_users = ["offered", "-",    "-",    "-",    "-"]',
    )

    assert read_matrix(mini).tables["app.colours"].cells["service", "insert"].classes == ()


def test_the_target_of_a_reassignment_can_be_a_fixture_value(
    connection: psycopg.Connection, mini: Path
) -> None:
    edit(mini, ACTORS, "[names]", 'once = "2026-02-01 00:00:00+00"\n\n[names]')
    edit(
        mini,
        TABLES,
        'reassignments = { user_id = "me" }',
        'reassignments = { user_id = "me", deleted_at = "once" }',
    )

    prepared = trial(connection, read_matrix(mini), {"app.notes"})

    assert ("deleted_at", "2026-02-01 00:00:00+00") in prepared.fixtures["app.notes"].reassignments.targets
    assert [outcome.cell.actor for outcome in prepared.outcomes() if not outcome.ok] == [
        "member",
        "comember",
        "outsider",
    ]


def test_a_reassign_cell_can_be_limited_to_a_column_and_to_a_target_class(
    connection: psycopg.Connection, mini: Path
) -> None:
    edit(mini, ACTORS, "[names]", 'once = "2026-02-01 00:00:00+00"\n\n[names]')
    edit(
        mini,
        TABLES,
        'reassignments = { user_id = "me" }',
        'reassignments = { user_id = "me", deleted_at = "once" }',
    )
    edit(mini, TABLES, 'own_live = "{own}', 'gone = "{own} and deleted_at is not null"\nown_live = "{own}')
    edit(
        mini,
        TABLES,
        'people  = ["own_live", "own",  "own",  "-",    "-"]',
        'people  = ["own_live", "own",  "own",  "-",    "deleted_at.own_live > gone + gone > own"]',
    )

    outcomes = trial(connection, read_matrix(mini), {"app.notes"}).outcomes()

    assert [outcome for outcome in outcomes if not outcome.ok] == []
