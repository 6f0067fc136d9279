"""Discovery of the objects that the modules of a package define, so that adding one needs no list."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from typing import TypeVar

T = TypeVar("T")


def instances(package: str, kind: type[T]) -> Iterator[T]:
    """Yield the instances of a class among the names of a package's modules, in order of the modules."""
    path = importlib.import_module(package).__path__
    for module in pkgutil.walk_packages(path, f"{package}."):
        for value in vars(importlib.import_module(module.name)).values():
            if isinstance(value, kind):
                yield value
