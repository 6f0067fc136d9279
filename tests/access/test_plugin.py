"""The pytest plugin: fixtures, and one test per cell."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

# pytester removes every module that is first imported inside it. The C part of pglast keeps references to
# its classes, so after a second import pglast and its parser would use different classes.
import pglast.stream  # noqa: F401
import pytest

pytest_plugins = ["pytester"]


@pytest.fixture
def project(pytester: pytest.Pytester, mini: Path) -> Path:
    """The small project in the folder of pytester, with its schema as the only migration."""
    root = pytester.path
    (mini / "policies").rename(root / "policies")
    (root / "migrations").mkdir()
    schema = (mini / "schema.sql").read_text()
    (root / "migrations/0001_everything.sql").write_text(
        f"-- 0001 everything\n-- migrate:up role:none\n{schema}\n-- migrate:down irreversible: the first\n"
    )
    (root / "seeds/test").mkdir(parents=True)
    (mini / "fixture.sql").rename(root / "seeds/test/rows.sql")
    (root / "aigym-db.toml").write_text("")
    return root


def test_importing_the_plugin_imports_neither_driver_nor_parser() -> None:
    code = (
        "import sys, aigym_db.pytest_plugin; "
        "print(sorted({'psycopg', 'pglast', 'jinja2'} & set(sys.modules)))"
    )

    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert result.stdout.strip() == "[]"


def test_each_cell_is_a_test(project: Path, pytester: pytest.Pytester) -> None:
    result = pytester.runpytest_inprocess("policies", "-p", "no:randomly")

    result.assert_outcomes(passed=273)


def test_a_differing_cell_is_reported_with_its_place(project: Path, pytester: pytest.Pytester) -> None:
    table_matrix = project / "policies/app.access.toml"
    table_matrix.write_text(table_matrix.read_text().replace('anonymous = ["offered"', 'anonymous = ["all"'))

    result = pytester.runpytest_inprocess("policies", "-k", "colours and anonymous")

    result.assert_outcomes(passed=4, failed=1, deselected=268)
    result.stdout.fnmatch_lines(
        [
            "app.colours: anonymous select: expected all, actual without row teal.",
            "policies/app.access.toml:*",
        ]
    )


def test_a_differing_call_is_reported_with_its_place(project: Path, pytester: pytest.Pytester) -> None:
    matrix_file = project / "policies/app.access.toml"
    matrix_file.write_text(matrix_file.read_text().replace('comember   = "true"', 'comember   = "false"'))

    result = pytester.runpytest_inprocess("policies", "-k", "guard.strong")

    result.assert_outcomes(passed=6, failed=1, deselected=266)
    result.stdout.fnmatch_lines(
        ["guard.strong(): comember own: expected false, actual true.", "policies/app.access.toml:*"]
    )


def test_an_invalid_matrix_file_is_a_collection_error(project: Path, pytester: pytest.Pytester) -> None:
    table_matrix = project / "policies/app.access.toml"
    table_matrix.write_text(table_matrix.read_text().replace("not retired", "not {retired}"))

    result = pytester.runpytest_inprocess("policies")

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*the class, parameter or value `{retired}` does not exist*"])


def test_matrix_files_are_collected_only_if_their_folder_is_specified(
    project: Path, pytester: pytest.Pytester
) -> None:
    pytester.makepyfile(test_other="def test_other(): pass")

    result = pytester.runpytest_inprocess("test_other.py")

    result.assert_outcomes(passed=1)


def test_a_test_can_connect_as_each_actor(project: Path, pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        test_notes="""
        import psycopg, pytest

        def test_reads(as_actor):
            assert as_actor("member").execute("select body from app.notes").fetchall() == [("mine",)]
            assert as_actor("outsider").execute("select body from app.notes").fetchall() == [("hers",)]

        def test_permission_denied(as_actor):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                as_actor("anonymous").execute("select body from app.notes")

        CHANGED = "select count(*) from app.notes where body = 'changed'"

        def test_changes_its_database(as_actor, aigym_database):
            as_actor("member").execute("update app.notes set body = 'changed' where body = 'mine'")
            with psycopg.connect(aigym_database) as connection:
                assert connection.execute(CHANGED).fetchone() == (1,)

        def test_has_a_separate_database(aigym_database):
            with psycopg.connect(aigym_database) as connection:
                assert connection.execute(CHANGED).fetchone() == (0,)
        """
    )

    pytester.runpytest_inprocess("test_notes.py").assert_outcomes(passed=4)


def test_an_unknown_actor_is_a_usage_error(project: Path, pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_zoe="def test_it(as_actor): as_actor('zoe')")

    result = pytester.runpytest_inprocess("test_zoe.py")

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*the actor 'zoe' does not exist; use one of: anonymous, member*"])


def test_every_actor_can_act_in_one_transaction(project: Path, pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        test_reach="""
        import psycopg, pytest

        def test_a_new_member(actor_transaction):
            before = actor_transaction.reach("outsider")
            assert before["app.units"] == {"00000000-0000-0000-0000-000000000203"}
            assert before["app.units~"] == before["app.units-"] == before["app.units"]

            actor_transaction.act(
                "admin",
                "insert into app.memberships (tenant_id, user_id, level) "
                "select id, %s, 'member' from app.tenants",
                ["00000000-0000-0000-0000-000000000004"],
            )

            after = actor_transaction.reach("outsider")
            assert len(after["app.units"]) == 3
            assert after["app.units~"] == before["app.units~"]
            assert len(after["guard.tenants(own)"]) == len(after["app.memberships(held)"]) == 2
            assert "guard.governs(own)" not in actor_transaction.reach("outsider", claims={"aal": "aal1"})

        def test_an_error_is_rolled_back(actor_transaction):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                actor_transaction.act("member", "insert into app.colours values ('blue', 'Blue')")

            assert actor_transaction.act("member", "select body from app.notes") == [("mine",)]
            assert actor_transaction.execute("select current_user = session_user") == [(True,)]

        def test_a_role_that_bypasses_policies_has_no_reach(actor_transaction):
            with pytest.raises(ValueError, match="bypasses row-level security"):
                actor_transaction.reach("service")
        """
    )

    pytester.runpytest_inprocess("test_reach.py").assert_outcomes(passed=3)
