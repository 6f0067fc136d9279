"""Mutants of functions are killed by a call, have an entry in equivalents.toml, or are reported."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from aigym_db.access.calls import call_trial
from aigym_db.access.equivalents import read_equivalents
from aigym_db.access.matrix import read_matrix
from aigym_db.access.mutants import MutationReport, mutate
from aigym_db.access.mutations import read_access_rules
from aigym_db.access.trial import trial
from aigym_db.errors import BadAccessMatrix
from tests.access.calls import DEFINER

SCHEMA = f"""
    create type app.mood as enum ('good', 'bad');
    create function guard.assert_strong() returns void {DEFINER} as $$
    begin
        if not guard.strong() then
            raise exception 'a second factor is required' using errcode = '42501';
        end if;
    end $$;
    create function app.rename_unit(unit uuid, new_name text, feeling app.mood) returns boolean
    {DEFINER} as $$
    declare
        tenant app.units.tenant_id%type;
        mood constant app.mood := feeling;
    begin
        perform guard.assert_strong();
        select u.tenant_id into strict tenant from app.units as u where u.id = unit;
        if not tenant = any (array(select guard.tenants())) or mood = 'bad' then
            raise exception 'permission denied' using errcode = '42501';
        end if;
        update app.units set name = new_name where id = unit and name <> new_name;
        return found;
    end $$;
    create function app.normalise_unit() returns trigger {DEFINER} as $$
    begin
        if new.name = '' then
            raise exception 'a name is required' using errcode = '22023';
        end if;
        new.name := trim(new.name) || '';
        return new;
    end $$;
    create trigger normalise before insert or update on app.units
        for each row execute function app.normalise_unit();
    alter function app.rename_unit owner to mini_guard;
    alter function guard.assert_strong owner to mini_guard;
    grant select, update on app.units to mini_guard;
    revoke execute on function app.rename_unit, app.normalise_unit, guard.assert_strong from public;
    grant execute on function app.rename_unit to mini_user;
"""
UNIT = "(select min(id::text) from app.units where tenant_id = {acme})"
CELLS = f"""
[functions."app.rename_unit".calls]
other_name = ["{UNIT}", "'Other'", "'good'"]
same_name  = ["{UNIT}", "(select name from app.units where id::text = {UNIT})", "'good'"]
no_name    = ["{UNIT}", "''", "'good'"]
in_a_mood  = ["{UNIT}", "'Other'", "'bad'"]
[functions."app.rename_unit".access]
member     = "rejected"
comember   = ["true; app.units ~1", "false", "rejected 22023", "rejected"]
admin      = ["true; app.units ~1", "false", "rejected 22023", "rejected"]
admin_aal1 = "rejected"
outsider   = "rejected"
no_access  = ["anonymous", "service"]
"""
NAMES = ("app.rename_unit", "app.normalise_unit", "guard.assert_strong")
RENAME = "app.rename_unit(uuid,text,app.mood)"


class Functions:
    """The small project with functions that change units."""

    def __init__(self, root: Path, connection: psycopg.Connection) -> None:
        self.root = root
        self.connection = connection
        self.file = root / "policies/app.access.toml"
        self.tables = self.file.read_text()
        self.write(CELLS)

    def write(self, cells: str) -> None:
        """Replace the cells of the functions."""
        self.file.write_text(self.tables + cells)

    def operators(self) -> set[str]:
        """Return the names of the mutants of the functions."""
        prepared = trial(self.connection, read_matrix(self.root))
        rules = read_access_rules(self.connection)
        return {
            mutation.mutant.id
            for mutation in rules.mutations(prepared)
            if not rules.subjects(mutation).isdisjoint(NAMES)
        }

    def report(self, *changes: str) -> MutationReport:
        """Execute statements, and test the mutants of the functions."""
        for change in changes:
            self.connection.execute(change.encode())
        matrix = read_matrix(self.root)
        prepared = trial(self.connection, matrix)
        calls = call_trial(self.connection, matrix)
        return mutate(prepared, read_equivalents(self.root), calls, names=NAMES, test_equivalents=True)

    def survivors(self, *changes: str) -> set[str]:
        """Return the mutants that survive without a reason."""
        return {item.mutant.id for item in self.report(*changes).survivors if not item.equivalent}


@pytest.fixture
def functions(mini: Path, connection: psycopg.Connection) -> Iterator[Functions]:
    connection.execute(SCHEMA.encode())
    yield Functions(mini, connection)


def test_every_operator_is_applied_to_functions_and_trigger_functions(functions: Functions) -> None:
    condition = "NOT tenant = ANY(ARRAY(SELECT guard.tenants())) OR mood = 'bad'"
    assert functions.operators() == {
        f"{RENAME}: without PERFORM guard.assert_strong()",
        f"{RENAME}: without WHERE u.id = unit",
        f"{RENAME}: without IF {condition}",
        f"{RENAME}: IF {condition} negated",
        f"{RENAME}: without NOT tenant = ANY(ARRAY(SELECT guard.tenants()))",
        f"{RENAME}: without mood = 'bad'",
        f"{RENAME}: without WHERE id = unit AND name <> new_name",
        f"{RENAME}: without id = unit",
        f"{RENAME}: without name <> new_name",
        f"{RENAME}: SECURITY INVOKER",
        f"{RENAME}: without SET search_path",
        "app.normalise_unit(): without IF new.name = ''",
        "app.normalise_unit(): IF new.name = '' negated",
        "app.normalise_unit(): SECURITY INVOKER",
        "app.normalise_unit(): without SET search_path",
        "guard.assert_strong(): without IF NOT guard.strong()",
        "guard.assert_strong(): IF NOT guard.strong() negated",
        "guard.assert_strong(): SECURITY INVOKER",
        "guard.assert_strong(): without SET search_path",
    }


def test_the_calls_kill_every_mutant_that_is_not_equivalent(functions: Functions) -> None:
    report = functions.report()

    assert report.failed == {}
    assert {item.mutant.id: item.equivalent for item in report.survivors} == {
        "app.normalise_unit(): SECURITY INVOKER": "",
        "guard.assert_strong(): SECURITY INVOKER": (
            "Only SECURITY DEFINER functions of the same owner call it."
        ),
        "guard.assert_strong(): without SET search_path": (
            "Its body contains no name that is resolved through search_path."
        ),
    }
    assert {mutant.kind for mutant in report.mutants} == {"function"}


@pytest.mark.parametrize(
    ("cells", "survivor"),
    [
        (CELLS.replace('"rejected 22023", "rejected"]', '"rejected 22023"]').replace("in_a_mood", "#"),
         f"{RENAME}: without mood = 'bad'"),
        (CELLS.replace('"false", ', "").replace("same_name", "#"), f"{RENAME}: without name <> new_name"),
        (CELLS.replace(' "rejected 22023",', "").replace("no_name", "#"),
         "app.normalise_unit(): without IF new.name = ''"),
    ],
)  # fmt: skip
def test_a_mutant_that_no_call_distinguishes_survives(
    functions: Functions, cells: str, survivor: str
) -> None:
    functions.write(cells)

    assert survivor in functions.survivors()


def test_a_mutant_is_killed_by_the_call_that_differs(functions: Functions) -> None:
    killed = functions.report().killed

    assert killed[f"{RENAME}: without mood = 'bad'"] == "app.rename_unit: comember in_a_mood"
    assert killed[f"{RENAME}: without SET search_path"].endswith(" with another search_path")


def test_a_function_whose_names_no_call_resolves_survives_without_its_search_path(
    functions: Functions,
) -> None:
    assert f"{RENAME}: without SET search_path" in functions.survivors(
        f"""create or replace function app.rename_unit(unit uuid, new_name text, feeling app.mood)
            returns boolean {DEFINER} as $$
            begin
                update app.units set name = new_name where id operator(pg_catalog.=) unit::uuid;
                return found;
            end $$"""
    )


def test_the_search_path_of_a_function_of_a_policy_is_tested_by_statements(functions: Functions) -> None:
    prepared = trial(functions.connection, read_matrix(functions.root))

    report = mutate(prepared, read_equivalents(functions.root), names={"guard.governs"})

    killer = report.killed["guard.governs(): without SET search_path"]
    assert killer.startswith("app.")
    assert killer.endswith(" with another search_path")


def test_cells_that_differ_without_a_mutation_kill_no_function_mutant(functions: Functions) -> None:
    functions.write(CELLS.replace('"rejected"]', '"true"]'))

    assert f"{RENAME}: without mood = 'bad'" in functions.survivors()


def test_an_entry_in_equivalents_is_for_functions_too(functions: Functions) -> None:
    path = functions.root / "policies/equivalents.toml"
    path.write_text(
        '[[equivalent]]\nmutant = "app.normalise_unit(): SECURITY INVOKER"\nreason = "It reads no table."\n'
    )
    assert functions.survivors() == set()

    path.write_text(f'[[equivalent]]\nmutant = "{RENAME}: without id = unit"\nreason = "None."\n')
    with pytest.raises(BadAccessMatrix, match="is killed by a cell"):
        functions.survivors()


def test_the_functions_are_unchanged_afterwards(functions: Functions) -> None:
    text = (
        "select oid, prosrc, prosecdef, proconfig from pg_proc "
        "where pronamespace in ('app'::regnamespace, 'guard'::regnamespace)"
    )
    before = functions.connection.execute(text.encode()).fetchall()

    functions.report()

    assert functions.connection.execute(text.encode()).fetchall() == before
    assert (
        functions.connection.execute("select from pg_namespace where nspname = 'aigym_shadow'").fetchone()
        is None
    )
