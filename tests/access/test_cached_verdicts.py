"""`test` executes the cells whose results may have changed, and reads the other verdicts from the cache."""

from __future__ import annotations

import pytest

from aigym_db.access.report import access_report
from aigym_db.project.config import find
from tests.access.test_matrix import edit
from tests.support.command import ProjectInProcess

CELLS = 7 * 7 * 5
READ = "app.units"
"""Policies of another table read it, and what a write opens depends on that table: it is always executed."""
ADDED = "create policy notes_none on app.notes for select using (false);"
LEAK = "create policy leak on app.notes for select using (true);"
ERASE = """
create function guard.erase() returns trigger language plpgsql as $$
begin
    execute 'truncate app.log';
    return null;
end
$$;
create trigger erase after insert on app.notes for each row execute function guard.erase();
"""

STAMP = """
create function guard.stamp() returns trigger language plpgsql as $$
begin
    if new.body is null then
        new.body := '-';
    end if;
    return new;
end
$$;
create trigger stamp before insert on app.notes for each row execute function guard.stamp();
"""


def cached_run(in_process: ProjectInProcess) -> tuple[set[str], set[str]]:
    """Return the tables whose cells were executed with the cache, and the messages of the findings."""
    with access_report(find(in_process.folder), cache=True) as report:
        assert report.counts.cells == CELLS
        return (
            {outcome.cell.table for outcome in report.outcomes},
            {finding.message for finding in report.findings},
        )


def test_an_unchanged_project_needs_no_database(
    in_process: ProjectInProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    cached_run(in_process)
    monkeypatch.setattr("aigym_db.access.report.open_test_database", None)

    assert cached_run(in_process) == (set(), set())


def test_after_a_change_only_the_cells_that_depend_on_it_are_executed(in_process: ProjectInProcess) -> None:
    cached_run(in_process)

    in_process.migration("0002_policy", ADDED)
    assert cached_run(in_process) == ({"app.notes", READ}, set())
    in_process.append("seeds/test/10_rows.sql", "insert into app.colours values ('umber', 'Umber');\n")
    assert cached_run(in_process) == ({"app.colours", READ}, set())


def test_a_leak_is_found_again_until_it_is_mended(in_process: ProjectInProcess) -> None:
    cached_run(in_process)
    in_process.migration("0002_leak", LEAK)

    for _ in range(2):
        executed, messages = cached_run(in_process)
        assert executed == {"app.notes", READ}
        assert any("app.notes: member select: expected own_live, actual also" in text for text in messages)
    (in_process.folder / "migrations/0002_leak.sql").unlink()
    assert cached_run(in_process) == (set(), set())


def test_a_difference_with_triggers_is_not_stored(in_process: ProjectInProcess) -> None:
    in_process.migration("0002_erase", ERASE)

    _, first = cached_run(in_process)

    assert any("app.notes: member insert: with triggers, permission denied" in text for text in first)
    assert cached_run(in_process) == ({"app.notes", READ}, first)


def test_a_changed_expectation_executes_its_cells(in_process: ProjectInProcess) -> None:
    cached_run(in_process)
    edit(in_process.folder, "app.access.toml", '["own_live", "own",  "own",', '["own",      "own",  "own",')

    executed, messages = cached_run(in_process)
    assert executed == {"app.notes", READ}
    assert any("app.notes: member select: expected own, actual without" in text for text in messages)


def test_a_damaged_file_is_ignored(in_process: ProjectInProcess) -> None:
    cached_run(in_process)
    in_process.write(".aigym-db/verdicts.json", '{"runs": [')

    assert len(cached_run(in_process)[0]) == 7


def test_options(in_process: ProjectInProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    def cached(*options: str) -> object:
        return in_process("--format", "json", "test", *options).document["cached"]

    assert cached() == 0
    assert cached() == CELLS
    assert cached("--no-cache") == 0
    monkeypatch.setenv("CI", "true")
    assert cached() == 0
    assert cached("--cache") == CELLS


def test_the_cache_is_rejected_with_mutants(in_process: ProjectInProcess) -> None:
    result = in_process("test", "--cache", "--mutants")

    assert result.status == 2
    assert "--cache cannot be used with --mutants" in result.err


def test_mutants_of_a_function_without_cells(in_process: ProjectInProcess) -> None:
    """The cells of all tables are executed: each of them can kill such a mutant."""
    in_process.migration("0002_stamp", STAMP)

    document = in_process("--format", "json", "test", "--mutants", "guard.stamp").document

    assert document["cells"] == CELLS, document
    assert document["mutants"]["tried"] > 0


def test_a_function_that_does_not_exist(in_process: ProjectInProcess) -> None:
    result = in_process("test", "--mutants", "app.no_such_function")

    assert result.status == 2
    assert "does not contain the table or function app.no_such_function" in result.err


def test_a_function_without_mutants_is_named(in_process: ProjectInProcess) -> None:
    in_process.replace(
        "migrations/0001_schema.sql",
        "create schema app;",
        "create schema other;\ncreate function other.one() returns int language sql as 'select 1';\n"
        "create schema app;",
    )
    actors = in_process.folder / "policies/actors.toml"
    actors.write_text('outside = ["other"]\n' + actors.read_text())

    in_process.migration("0002_stamp", STAMP)
    message = "other.one: no mutation operator applies, so there are no mutants.\n"

    alone = in_process("test", "--mutants", "other.one")
    beside = in_process("test", "--mutants", "other.one", "guard.stamp")

    assert alone.status == 0
    assert alone.out.endswith(message)
    assert message in beside.out
    assert "guard.stamp: no" not in beside.out
