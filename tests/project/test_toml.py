"""Places of keys in TOML files."""

from __future__ import annotations

import pytest

from aigym_db.errors import BadConfig
from aigym_db.model.source import Source
from aigym_db.project.toml import TEXT as TEXT_KIND
from aigym_db.project.toml import Key, parse_document

TEXT = '''\
# a = [
outside = ["auth", 'b"x'] # é
nested = [[1, 2], [3]]
levels = [ # c ]
  "none",
]
date = 1979-05-27T07:32:00.5Z
number = -1.5e3
"iam.units" = { archetype = "tenant", tenant.x = [ {a=1}, "q" ] }
[actor.member]
note = """a " b
[[x]] = 3
"""
claims = { sub = "{alice}", role = "r" }
["a]b".answers]
a.b = true
[[target]]
name = "a"
[target.sub]
x = 1
[[target]]
name = 'b'
[[ target . e ]]
z = 1
[["c]]"]]
y = [
  [],
  [ 1,

 2, ] ]
'''


def paths(value: object, *path: Key) -> list[tuple[Key, ...]]:
    """Every key and list item of a value."""
    items: list[tuple[Key, object]] = []
    if isinstance(value, dict):
        items = [*value.items()]
    elif isinstance(value, list):
        items = [*enumerate(value)]
    return [deeper for key, item in items for deeper in ((*path, key), *paths(item, *path, key))]


DOCUMENT = parse_document(Source("a.toml", TEXT))


@pytest.mark.parametrize("path", paths(DOCUMENT.values), ids=str)
def test_every_key_and_every_item_has_its_own_place(path: tuple[Key, ...]) -> None:
    place = DOCUMENT.place(*path)
    rest = place.text[place.column - 1 :]

    if isinstance(path[-1], str):
        header = place.text.lstrip().startswith("[") and place.column == 1
        assert header or rest.lstrip("\"'").startswith(path[-1])
    else:
        assert (place.line, place.column) != (1, 1)


@pytest.mark.parametrize(
    ("path", "line", "column"),
    [
        (("outside", 1), 2, 20),
        (("outside", 'b"x'), 2, 20),
        (("levels", "none"), 5, 3),
        (("iam.units", "tenant", "x", "q"), 9, 59),
        (("actor", "member", "claims", "role"), 14, 29),
        (("target", 1, "name"), 22, 1),
        (("target", 1, "e", 0, "z"), 24, 1),
        (("target", 1, "missing"), 21, 1),
        (("c]]", 0, "y", 1, 1), 30, 2),
        (("unknown",), 1, 1),
    ],
)
def test_a_key_that_is_missing_has_the_place_of_its_table(
    path: tuple[Key, ...], line: int, column: int
) -> None:
    place = DOCUMENT.place(*path)

    assert (place.line, place.column) == (line, column)


def test_a_table_of_a_document_places_its_own_keys() -> None:
    document = DOCUMENT.table("actor", "member")

    assert document.place("claims").line == 14
    assert DOCUMENT.table("nothing", "here").values == {}


def test_an_unknown_key_is_rejected_with_the_most_similar_one() -> None:
    with pytest.raises(BadConfig, match="An actor has no key `nte`") as error:
        parse_document(Source("a.toml", '[a]\nx = 1\nnte = "a"\n')).only(
            {"x": 1, "nte": "a"}, ("note", "x"), "a", subject="An actor"
        )

    assert error.value.hint == "Write `note`."
    assert str(error.value.place) == "a.toml:3:1"


def test_the_hint_quotes_a_key_that_is_no_bare_key() -> None:
    assert TEXT_KIND.hint("app.events") == 'Write e.g. `"app.events" = "…"`.'
    assert TEXT_KIND.hint("owner") == 'Write e.g. `owner = "…"`.'
