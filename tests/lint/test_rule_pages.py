"""Each rule's page: its Bad examples are found, its Good ones pass, and the server agrees with both."""

from __future__ import annotations

from collections.abc import Sequence

import psycopg
import pytest
from pglast.parser import split

from aigym_db.lint.engine import lint, lint_text
from aigym_db.lint.page import Example, examples, find, page
from aigym_db.lint.registry import rules
from aigym_db.lint.rule import Rule
from aigym_db.lint.section import Section
from aigym_db.model.finding import Finding
from aigym_db.model.source import Source

CASES = [
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


def linted(example: Example) -> tuple[Finding, ...]:
    """The findings of an example; what its page gives was there before."""
    if example.mark == "migration":
        return lint_text(example.sql, "0001_example.sql")
    given, sql = Source("given.sql", example.given), Source("example.sql", example.sql)
    return lint([Section(given, 0, len(given.text), batch=0), Section(sql, 0, len(sql.text), batch=1)])


def refused(connection: psycopg.Connection, statements: Sequence[str]) -> str:
    """What the server says against one of the statements, nothing when it takes all."""
    try:
        for statement in statements:
            connection.execute(statement)
    except psycopg.Error as error:
        return str(error)
    return ""


@pytest.mark.parametrize(("rule", "example"), CASES)
def test_a_bad_example_gives_its_rules_finding_alone_and_a_good_one_none(
    rule: Rule, example: Example
) -> None:
    found = linted(example)

    assert {(one.rule, one.code) for one in found} == {"Bad": {(rule.name, rule.code)}, "Good": set()}[
        example.kind
    ]
    assert len(found) <= 1


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule.name)
def test_a_page_has_a_bad_and_a_good_example_and_a_source(rule: Rule) -> None:
    assert {example.kind for example in examples(rule)} == {"Bad", "Good"}
    assert "\nSource: " in rule.text
    assert page(rule).startswith(f"{rule.code} {rule.name} (")
    assert find(rule.code) is find(rule.name) is rule


@pytest.mark.parametrize(("rule", "example"), [case for case in CASES if case.values[1].kind == "Bad"])
def test_a_finding_has_a_place_a_sentence_and_help_that_starts_with_a_verb(
    rule: Rule, example: Example
) -> None:
    (found,) = linted(example)

    assert found.place is not None
    assert found.place.text
    assert found.message.endswith(".")
    assert found.help.endswith(".")
    assert found.help[0].isupper()


def test_names_and_codes_are_given_once() -> None:
    assert len({rule.name for rule in rules()}) == len({rule.code for rule in rules()}) == len(rules())


@pytest.mark.parametrize(("rule", "example"), ON_A_SERVER)
def test_the_server_takes_an_example_unless_its_page_says_it_refuses(
    rule: Rule, example: Example, database: str, lint_roles: None
) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(SURROUNDINGS)
        connection.execute(example.given)

        refusal = refused(connection, split(example.sql))

    assert bool(refusal) == (example.mark == "refused"), refusal
