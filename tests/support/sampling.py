"""A matrix in two parts: `make test` runs a sample of it, `make test-all` the rest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pytest


def sampled(cases: Iterable[Any], every: int) -> list[Any]:
    """Return the cases as parameters; all but each `every`-th, from the first on, are exhaustive."""
    return [_parameter(number, every, str(case), case) for number, case in enumerate(cases)]


def sampled_items(cases: Mapping[str, Any], every: int) -> list[Any]:
    """Return the values of a mapping in the same way, its keys as ids; a tuple gives several arguments."""
    return [
        _parameter(number, every, key, *(case if isinstance(case, tuple) else (case,)))
        for number, (key, case) in enumerate(cases.items())
    ]


def _parameter(number: int, every: int, name: str, *arguments: Any) -> Any:
    return pytest.param(*arguments, id=name, marks=() if number % every == 0 else pytest.mark.exhaustive)
