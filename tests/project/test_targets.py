"""The targets file: its keys, and connection strings absent from errors."""

from __future__ import annotations

from pathlib import Path

import pytest

from aigym_db.errors import BadConfig
from aigym_db.model.source import Source
from aigym_db.project.targets import PARALLEL, Fleet, parse, read

SECRET = "postgresql://me:open-sesame@db.example.org/shop"
ENVIRONMENT = {"SHOP_EU": "host=eu dbname=shop", "EMPTY": "  "}


def fleet(text: str) -> Fleet:
    return parse(Source("targets.toml", text), ENVIRONMENT)


def test_a_file_lists_targets_and_options() -> None:
    parsed = fleet(
        'parallel = 8\non_failure = "continue"\n'
        '[[target]]\nname = "eu"\ndsn_env = "SHOP_EU"\ncanary = true\n'
        '[[target]]\nname = "one tenant"\ndsn = "dbname=all"\nschema = "tenant_1"\n'
        '[[target]]\nname = "tenants"\ndsn = "dbname=all"\nschemas = "tenant_*"\n'
    )

    assert (parsed.parallel, parsed.on_failure) == (8, "continue")
    assert [
        (target.name, target.dsn, target.schema, target.schemas, target.canary) for target in parsed.targets
    ] == [
        ("eu", "host=eu dbname=shop", "", "", True),
        ("one tenant", "dbname=all", "tenant_1", "", False),
        ("tenants", "dbname=all", "", "tenant_*", False),
    ]
    assert [target.place.line for target in parsed.targets] == [3, 7, 11]


def test_what_a_file_leaves_out_has_a_default() -> None:
    parsed = fleet('[[target]]\nname = "eu"\ndsn_env = "SHOP_EU"\n')

    assert (parsed.parallel, parsed.on_failure, parsed.targets[0].canary) == (PARALLEL, "stop", False)


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("", 1, "contains no target"),
        ("target = []\n", 1, "contains no target"),
        ("target = 1\n", 1, "`target` must be a list of [[target]] tables"),
        ("\nparralel = 3\n", 2, "no setting `parralel`"),
        ("parallel = 0\n", 1, "`parallel` must be a whole number from 1 to 256"),
        ("parallel = 257\n", 1, "`parallel` must be a whole number from 1 to 256"),
        ("parallel = true\n", 1, "`parallel` must be a whole number from 1"),
        ('on_failure = "ignore"\n', 1, '`on_failure` must be "stop" or "continue"'),
        ("on_failure = [1]\n", 1, '`on_failure` must be "stop" or "continue"'),
        ('[[target]]\ndsn = "x=y"\n', 1, "Target number 1 has no `name`"),
        ('[[target]]\nname = "a"\n', 1, "needs either `dsn` or `dsn_env`"),
        ('[[target]]\nname = "a"\ndsn = "dbname=a"\ndsn_env = "SHOP_EU"\n', 4, "needs either `dsn`"),
        (
            '[[target]]\nname = "a"\ndsn_env = "NOT_THERE"\n',
            3,
            "variable NOT_THERE of the target a is not set",
        ),
        ('[[target]]\nname = "a"\ndsn_env = "EMPTY"\n', 3, "variable EMPTY of the target a is not set"),
        ('[[target]]\nname = "a"\ndsn_env = "not a name"\n', 3, "`dsn_env` must be the name of"),
        ('[[target]]\nname = "a"\ndsn = ""\n', 3, "`dsn` must be a connection string"),
        ('[[target]]\nname = ""\ndsn = "dbname=a"\n', 2, "`name` must be a name"),
        ('[[target]]\nname = "\\u001b[2J"\ndsn = "dbname=a"\n', 2, "`name` must be a name"),
        (
            '[[target]]\nname = "a"\ndsn = "dbname=a"\nschema = 1\n',
            4,
            "`schema` must be the name of a schema",
        ),
        ('[[target]]\nname = "a"\ndsn = "dbname=a"\ncanary = "yes"\n', 4, "`canary` must be true or false"),
        ('[[target]]\nname = "a"\ndsn = "dbname=a"\ncanry = true\n', 4, "A target has no setting `canry`"),
        (
            '[[target]]\nname = "a"\ndsn = "dbname=a"\nschema = "b"\nschemas = "b*"\n',
            5,
            "has both `schema` and `schemas`",
        ),
        (
            '[[target]]\nname = "a"\ndsn = "dbname=a"\n[[target]]\nname = "a"\ndsn = "dbname=b"\n',
            5,
            "The name a is used by two targets",
        ),
        (
            '[[target]]\nname = "a"\ndsn = "dbname=a"\n[[target]]\nname = "b"\ndsn = "dbname=a"\n',
            4,
            "The targets a and b are the same database",
        ),
        (
            '[[target]]\nname = "a"\ndsn = "dbname=a"\n\n'
            '[[target]]\nname = "b"\ndsn = "dbname=a"\nschema = "public"\n',
            5,
            "The targets a and b are the same database",
        ),
        ("[[target]\n", 1, "not valid TOML"),
    ],
)
def test_an_invalid_value_is_rejected_at_its_place(text: str, line: int, message: str) -> None:
    with pytest.raises(BadConfig) as caught:
        fleet(text)

    assert message in caught.value.message
    assert (caught.value.place.file, caught.value.place.line) == ("targets.toml", line)
    assert caught.value.hint[0].isupper()


@pytest.mark.parametrize(
    "text",
    [
        f'[[target]]\nname = "a"\ndns = "{SECRET}"\n',
        f'[[target]]\nname = "a"\ndsn_env = "{SECRET}"\n',
        f'[[target]]\nname = "a"\ndsn = "{SECRET}\n',
        f'[[target]]\nname = "a" dsn = "{SECRET}"\n',
        f'[[target]]\nname = "a"\ndsn = ["{SECRET}"]\n',
        f'[[target]]\nname = "a"\n"{SECRET}"\n',
        f'target = ["{SECRET}"]\n',
        f'target = "{SECRET}"\n',
        f'{{dsn = "{SECRET}"}}\n',
        f'parallel = "{SECRET}"\n',
    ],
)
def test_a_password_is_never_shown_whatever_is_wrong(text: str) -> None:
    with pytest.raises(BadConfig) as caught:
        fleet(text)

    assert caught.value.place is not None
    shown = (caught.value.message, caught.value.detail, caught.value.hint, repr(caught.value.place))
    assert "open-sesame" not in str(shown)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ('[[target]]\nname = "a"\ncanry = true\n', "canry = …"),
        (f'[[target]]\nname = "a"\ndns = "{SECRET}"\n', "dns = …"),
        (f'[[target]]\nname = "a"\ndsn = ["{SECRET}"]\n', "dsn = …"),
        ("target = 1\n", "target = …"),
        ("parallel = 0\n", "parallel = 0"),
    ],
)
def test_an_error_shows_the_line_without_a_value_that_may_be_secret(text: str, shown: str) -> None:
    with pytest.raises(BadConfig) as caught:
        fleet(text)

    assert caught.value.place.text == shown


def test_a_target_does_not_show_its_connection_string() -> None:
    (target,) = fleet(f'[[target]]\nname = "a"\ndsn = "{SECRET}"\n').targets

    assert (target.dsn, "open-sesame" in repr(target)) == (SECRET, False)


def test_a_file_may_have_a_byte_order_mark_and_line_ends_of_windows(tmp_path: Path) -> None:
    file = tmp_path / "targets.toml"
    file.write_bytes(b'\xef\xbb\xbf[[target]]\r\nname = "a"\r\ndsn = "dbname=a"\r\n')

    assert [target.name for target in read(file, {}).targets] == ["a"]


def test_a_file_that_is_not_utf8_is_rejected_at_the_first_invalid_byte(tmp_path: Path) -> None:
    file = tmp_path / "targets.toml"
    file.write_bytes(b'[[target]]\nname = "\xff"\n')

    with pytest.raises(BadConfig, match="not UTF-8") as caught:
        read(file, {})

    assert (caught.value.place.line, caught.value.place.column) == (2, 9)


def test_the_targets_file_in_the_documentation_is_valid() -> None:
    page = (Path(__file__).parents[2] / "docs/production.md").read_text(encoding="utf-8")
    example = page.partition("```toml\n# targets.toml\n")[2].partition("```")[0]

    parsed = parse(Source("targets.toml", example), {"SHOP_EU": "dbname=eu", "SHOP_TENANTS": "dbname=all"})

    assert ([target.name for target in parsed.targets], parsed.parallel) == (["eu", "us", "tenants"], 8)
