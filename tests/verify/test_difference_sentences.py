"""The sentences about differences between two catalogs."""

from __future__ import annotations

import pytest

from aigym_db.model.catalog import Catalog, Key
from aigym_db.verify.differences import failures


@pytest.mark.parametrize(
    ("columns", "sentence"),
    [
        ("name, id", "table app.birds: the order of the columns is `id, name` left and `name, id` right."),
        ("id", "table app.birds: columns is `id, name` left and `id` right."),
    ],
)
def test_columns_in_another_order_are_reported_as_such(columns: str, sentence: str) -> None:
    left, right = (Catalog({Key("table", "app.birds"): {"columns": text}}) for text in ("id, name", columns))

    (failure,) = failures(left.difference(right), "left", "right", place=lambda _: None, advice="")

    assert failure.message == sentence
