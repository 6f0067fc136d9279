"""The sentences about differing facts of an object."""

from __future__ import annotations

import pytest

from aigym_db.model.catalog import Difference, Key
from aigym_db.verify.differences import failures


@pytest.mark.parametrize(
    ("fact", "left", "right", "message"),
    [
        ("columns", "a, b", "a, c", "its columns are `a, b` here and `a, c` there"),
        ("columns", "a, b", "b, a", "the order of the columns is `a, b` here and `b, a` there"),
        ("type", "int", "text", "type is `int` here and `text` there"),
    ],
)
def test_the_verb_agrees_with_the_fact(fact: str, left: str, right: str, message: str) -> None:
    difference = Difference(Key("table", "app.t"), fact, left, right)

    (failure,) = failures([difference], "here", "there", place=lambda key: None, advice="")

    assert failure.message == f"table app.t: {message}."
