"""What is left out, unknown or said twice in an access matrix is refused, with its file and line."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from aigym_db.access.matrix import predicate, read_matrix
from aigym_db.access.trial import trial
from aigym_db.errors import BadAccessMatrix
from aigym_db.model.access import COMMANDS

ACTORS, SHEET, TENANT = "actors.toml", "app.access.toml", "_archetypes/tenant.access.toml"


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
        (ACTORS, '["member", "comember"', '["member", "no_access"', "names an actor `no_access`", "people ="),
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
            SHEET,
            '"app.units" = { archetype = "tenant"',
            '"app.units" = { archetype = "tenat"',
            "no archetype `tenat`",
            '"app.units"',
        ),
        (
            SHEET,
            '"tenant", requires = "none" }',
            '"tenant" }',
            "has no required session level",
            '"app.units"',
        ),
        (
            SHEET,
            'requires      = "strong"',
            'requires      = "weak"',
            "`weak` is not one of the levels",
            "requires ",
        ),
        (
            SHEET,
            'offered = "not retired"',
            'offers = "not retired"',
            "no row class `offered`",
            '["app.colours"]',
        ),
        (
            SHEET,
            'anonymous = ["offered", "-", ',
            'anonymous = ["offered", ',
            "has 4 cells, not 5",
            "anonymous =",
        ),
        (
            SHEET,
            'anonymous = ["offered"',
            'anonymous = ["offered, all"',
            "is not a valid cell",
            "anonymous =",
        ),
        (SHEET, "anonymous = [", "anonimous = [", "no actor or group `anonimous`", "anonimous ="),
        (
            SHEET,
            'no_access = ["anonymous"]',
            "no_access = []",
            "has no cells for the actor `anonymous`",
            '["app.tenants"]',
        ),
        (
            SHEET,
            'no_access = ["anonymous"]',
            'no_access = ["anonymous", "member"]',
            "`member` has two rows",
            'no_access = ["anonymous", "member"]',
        ),
        (
            SHEET,
            "user_id = {me}",
            "user_id = {you}",
            "there is no class, parameter or value `{you}`",
            "own      =",
        ),
        (SHEET, 'own_live = "{own} and', 'own_live = "{own_live} and', "is defined by itself", "own_live ="),
        (
            SHEET,
            "reassignments = {}",
            "",
            "has no list of owner and tenant columns",
            '["app.tenants"]',
        ),
        (
            SHEET,
            'user_id = "me" }',
            'user_id = "you" }',
            "`you` is not a name of actors.toml",
            "reassignments =",
        ),
        (
            SHEET,
            '"governed", "governed"]\nservice = ["all",           "all"',
            '"governed", "own.governed"]\nservice = ["all",           "all"',
            "does not name a column `own`",
            '["app.memberships"]',
        ),
        (
            SHEET,
            '"governed", "governed"]\nservice = ["all",           "all"',
            '"governed", "governed > gone"]\nservice = ["all",           "all"',
            "no row class `gone`",
            '["app.memberships"]',
        ),
        (TENANT, "[rows]", "[classes]", "has no key `classes`", "[classes]"),
        (TENANT, 'note = "', 'comment = "', "has no key `comment`", "comment ="),
        (
            TENANT,
            'tenant = "tenant_id"',
            'tenant = "?"',
            "does not give `tenant` to its archetype",
            '"app.units"',
        ),
    ],
)
def test_what_is_wrong_is_refused_with_its_line(
    mini: Path, file: str, old: str, new: str, message: str, line: str
) -> None:
    edit(mini, file, old, new)

    with pytest.raises(BadAccessMatrix) as refused:
        read_matrix(mini)

    place = refused.value.place
    assert message in refused.value.message
    assert place is not None
    assert place.text.strip().startswith(line)
    assert refused.value.hint


def test_a_table_answered_in_two_files_is_refused(mini: Path) -> None:
    (mini / "policies/other.access.toml").write_text(
        '"app.units" = { archetype = "tenant", requires = "none" }\n'
    )

    with pytest.raises(BadAccessMatrix, match=r"app\.units has access cells in two files"):
        read_matrix(mini)


def test_every_table_actor_and_command_has_a_cell(mini: Path) -> None:
    found = read_matrix(mini)

    assert len(found.cells) == len(found.tables) * len(found.actors) * len(COMMANDS)


def test_an_actor_that_does_not_meet_what_a_table_demands_reaches_nothing(mini: Path) -> None:
    table_matrix = read_matrix(mini).tables["app.log"]

    assert table_matrix.cells["admin", "select"].classes == ("governed",)
    assert table_matrix.cells["admin_aal1", "select"].classes == ()


def test_a_cell_points_at_the_row_that_answers_it(mini: Path) -> None:
    place = read_matrix(mini).tables["app.notes"].cells["member", "select"].place

    assert place is not None
    assert (place.file, place.text.split("=")[0].strip()) == ("policies/app.access.toml", "people")


def test_a_class_asks_about_the_actor_with_the_actor_s_own_values(mini: Path) -> None:
    found = read_matrix(mini)
    table_matrix = found.tables["app.notes"]

    assert predicate(table_matrix, ("own_live",), found.actors["member"]) == (
        "((user_id = '00000000-0000-0000-0000-000000000001') and deleted_at is null)"
    )
    assert "user_id = null" in predicate(table_matrix, ("own",), found.actors["service"])


def test_a_table_without_answers_is_refused(connection: psycopg.Connection, mini: Path) -> None:
    connection.execute("create table app.forgotten (id int primary key)")

    with pytest.raises(BadAccessMatrix, match=r"1 table has no access cells: app\.forgotten"):
        trial(connection, read_matrix(mini))


def test_tables_of_others_need_no_answers(connection: psycopg.Connection, mini: Path) -> None:
    connection.execute("create schema elsewhere")
    connection.execute("create table elsewhere.theirs (id int primary key)")
    edit(mini, ACTORS, 'levels = ["none", "strong"]', 'levels = ["none", "strong"]\noutside = ["elsewhere"]')

    assert "elsewhere.theirs" not in trial(connection, read_matrix(mini)).fixtures


def test_answers_without_a_table_are_refused(connection: psycopg.Connection, mini: Path) -> None:
    connection.execute("drop table app.unit_items")

    with pytest.raises(
        BadAccessMatrix, match=r"contains app\.unit_items, but the database has no such table"
    ) as refused:
        trial(connection, read_matrix(mini))

    assert refused.value.place is not None
    assert refused.value.place.text == '["app.unit_items"]'


def test_a_row_class_postgresql_does_not_accept_is_refused_with_its_cell(
    connection: psycopg.Connection, mini: Path
) -> None:
    edit(mini, SHEET, "not retired", "not retird")

    with pytest.raises(BadAccessMatrix, match='column "retird" does not exist') as refused:
        trial(connection, read_matrix(mini))

    assert refused.value.place is not None
    assert refused.value.place.text.startswith("anonymous =")


def test_a_moved_column_the_table_does_not_have_is_refused(
    connection: psycopg.Connection, mini: Path
) -> None:
    edit(mini, SHEET, 'reassignments = { user_id = "me" }', 'reassignments = { owner_id = "me" }')

    with pytest.raises(BadAccessMatrix, match="column `owner_id` that the table does not have"):
        trial(connection, read_matrix(mini))


def test_a_role_the_server_does_not_know_is_refused(connection: psycopg.Connection, mini: Path) -> None:
    edit(mini, ACTORS, '"mini_service"', '"mini_nobody"')

    with pytest.raises(BadAccessMatrix, match="role mini_nobody that does not exist on the server"):
        trial(connection, read_matrix(mini))


def test_a_group_may_name_groups(mini: Path) -> None:
    edit(mini, ACTORS, '"outsider"]', '"outsider"]\neverybody = ["people", "service"]')
    edit(
        mini,
        SHEET,
        'people    = ["offered", "-",    "-",    "-",    "-"]\n'
        'service   = ["all",     "all",  "all",  "all",  "-"]',
        'everybody = ["offered", "-",    "-",    "-",    "-"]',
    )

    assert read_matrix(mini).tables["app.colours"].cells["service", "insert"].classes == ()


def test_the_values_to_move_to_may_be_people(connection: psycopg.Connection, mini: Path) -> None:
    edit(mini, ACTORS, "[names]", 'once = "2026-02-01 00:00:00+00"\n\n[names]')
    edit(
        mini,
        SHEET,
        'reassignments = { user_id = "me" }',
        'reassignments = { user_id = "me", deleted_at = "once" }',
    )

    asked = trial(connection, read_matrix(mini), {"app.notes"})

    assert ("deleted_at", "2026-02-01 00:00:00+00") in asked.fixtures["app.notes"].reassignments.targets
    assert [outcome.cell.actor for outcome in asked.outcomes() if not outcome.ok] == [
        "member",
        "comember",
        "outsider",
    ]


def test_a_move_may_be_answered_by_column_and_by_where_it_leads(
    connection: psycopg.Connection, mini: Path
) -> None:
    edit(mini, ACTORS, "[names]", 'once = "2026-02-01 00:00:00+00"\n\n[names]')
    edit(
        mini,
        SHEET,
        'reassignments = { user_id = "me" }',
        'reassignments = { user_id = "me", deleted_at = "once" }',
    )
    edit(mini, SHEET, 'own_live = "{own}', 'gone = "{own} and deleted_at is not null"\nown_live = "{own}')
    edit(
        mini,
        SHEET,
        'people  = ["own_live", "own",  "own",  "-",    "-"]',
        'people  = ["own_live", "own",  "own",  "-",    "deleted_at.own_live > gone + gone > own"]',
    )

    outcomes = trial(connection, read_matrix(mini), {"app.notes"}).outcomes()

    assert [outcome for outcome in outcomes if not outcome.ok] == []
