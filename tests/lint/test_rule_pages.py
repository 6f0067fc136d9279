"""Each rule's page: its Bad examples are reported, its Good ones are not, and the server executes both."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from textwrap import dedent
from typing import Any, Literal

import psycopg
import pytest
from pglast.parser import split

from aigym_db.lint.engine import lint, lint_text
from aigym_db.lint.rule import Rule, page, rules
from aigym_db.lint.section import Section
from aigym_db.model.finding import Finding
from aigym_db.model.source import Source

_HEADING = re.compile(r"^(Given|Bad|Good)(?: \((rejected|migration)\))?:$")


@dataclass(frozen=True, slots=True)
class Example:
    """SQL from the page of a rule."""

    kind: Literal["Bad", "Good"]
    sql: str
    given: str
    """SQL that runs before it; its tables may contain rows."""
    mark: str
    """`rejected`: the server raises an error. `migration`: a whole migration file. Otherwise empty."""


def examples(rule: Rule) -> tuple[Example, ...]:
    """Return the Bad and Good examples on the page of a rule."""
    given = ""
    examples: list[Example] = []
    for heading, mark, sql in _blocks(rule.text):
        if heading == "Given":
            given = sql
        else:
            examples.append(Example("Bad" if heading == "Bad" else "Good", sql, given, mark))
    return tuple(examples)


def _blocks(text: str) -> Iterator[tuple[str, str, str]]:
    lines = text.split("\n")
    for start, line in enumerate(lines, 1):
        heading = _HEADING.match(line)
        if heading is None:
            continue
        end = start
        while end < len(lines) and (lines[end].startswith("    ") or not lines[end].strip()):
            end += 1
        yield heading[1], heading[2] or "", dedent("\n".join(lines[start:end])).strip() + "\n"


CASES: list[Any] = [
    pytest.param(rule, example, id=f"{rule.name}-{example.kind}-{number}")
    for rule in rules()
    for number, example in enumerate(examples(rule), start=1)
]
ON_A_SERVER = [case for case in CASES if case.values[1].mark != "migration"]
SURROUNDINGS = """
create schema auth; create schema iam; create schema coach; create schema ops;
create function auth.uid() returns uuid language sql stable as $$ select null::uuid $$;
create function auth.jwt() returns jsonb language sql stable as $$ select '{}'::jsonb $$;
"""


def findings_of(example: Example) -> tuple[Finding, ...]:
    """Return the findings of an example, which runs after the SQL given by its page."""
    if example.mark == "migration":
        return lint_text(example.sql, "0001_example.sql")
    given, sql = Source("given.sql", example.given), Source("example.sql", example.sql)
    return lint([Section(given, 0, len(given.text), batch=0), Section(sql, 0, len(sql.text), batch=1)])


def error_of(connection: psycopg.Connection, statements: Sequence[str]) -> str:
    """Return the message of the server's error, empty if all statements succeed."""
    try:
        for statement in statements:
            connection.execute(statement)
    except psycopg.Error as error:
        return str(error)
    return ""


@pytest.mark.parametrize(("rule", "example"), CASES)
def test_a_bad_example_violates_only_its_rule_and_a_good_one_none(rule: Rule, example: Example) -> None:
    findings = findings_of(example)

    assert {(finding.rule, finding.code) for finding in findings} == {
        "Bad": {(rule.name, rule.code)},
        "Good": set(),
    }[example.kind]
    assert len(findings) <= 1


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule.name)
def test_a_page_has_a_bad_and_a_good_example_and_a_source(rule: Rule) -> None:
    assert {example.kind for example in examples(rule)} == {"Bad", "Good"}
    assert "\nSource: " in rule.text
    assert page(rule).startswith(f"{rule.code} {rule.name} ({rule.level}")


@pytest.mark.parametrize(("rule", "example"), [case for case in CASES if case.values[1].kind == "Bad"])
def test_a_finding_has_a_place_a_sentence_and_help_that_starts_with_a_verb(
    rule: Rule, example: Example
) -> None:
    (finding,) = findings_of(example)

    assert finding.place is not None
    assert finding.place.text
    assert finding.message.endswith(".")
    assert finding.hint.endswith(".")
    assert finding.hint[0].isupper()


def test_names_and_codes_are_unique() -> None:
    assert len({rule.name for rule in rules()}) == len({rule.code for rule in rules()}) == len(rules())


@pytest.mark.parametrize(("rule", "example"), ON_A_SERVER)
def test_the_server_executes_an_example_unless_it_is_marked_as_rejected(
    rule: Rule, example: Example, database: str, lint_roles: None
) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(SURROUNDINGS)
        connection.execute(example.given)

        error = error_of(connection, split(example.sql))

    assert bool(error) == (example.mark == "rejected"), error
