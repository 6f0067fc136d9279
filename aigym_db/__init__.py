"""A database-first migration and schema toolkit for PostgreSQL.

The names below are the interface for Python programs; docs/python.md describes it. Each is imported when it
is first used, so `import aigym_db` itself loads neither psycopg nor pglast.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

from aigym_db.version import __version__ as __version__

if TYPE_CHECKING:
    from aigym_db.api import AccessResult as AccessResult
    from aigym_db.api import apply_partitions as apply_partitions
    from aigym_db.api import health as health
    from aigym_db.api import lint as lint
    from aigym_db.api import migrate as migrate
    from aigym_db.api import plan as plan
    from aigym_db.api import plan_partitions as plan_partitions
    from aigym_db.api import rollback as rollback
    from aigym_db.api import status as status
    from aigym_db.api import test as test
    from aigym_db.errors import AigymError as AigymError
    from aigym_db.health.examine import Health as Health
    from aigym_db.migrate.observer import Finished as Finished
    from aigym_db.migrate.observer import Observer as Observer
    from aigym_db.migrate.options import Options as Options
    from aigym_db.migrate.status import Status as Status
    from aigym_db.model.access import Outcome as Outcome
    from aigym_db.model.finding import Finding as Finding
    from aigym_db.model.migration import Applied as Applied
    from aigym_db.model.migration import Migration as Migration
    from aigym_db.model.migration import Plan as Plan
    from aigym_db.model.source import Place as Place
    from aigym_db.partitions.apply import PartitionOptions as PartitionOptions
    from aigym_db.partitions.plan import PartitionPlan as PartitionPlan
    from aigym_db.project.config import Project as Project
    from aigym_db.project.config import find as find
    from aigym_db.project.migrations import migrations as migrations
    from aigym_db.verify.verify import Verified as Verified
    from aigym_db.verify.verify import verify as verify

_MODULES = {
    "AccessResult": "api",
    "AigymError": "errors",
    "Applied": "model.migration",
    "Finding": "model.finding",
    "Finished": "migrate.observer",
    "Health": "health.examine",
    "Migration": "model.migration",
    "Observer": "migrate.observer",
    "Options": "migrate.options",
    "Outcome": "model.access",
    "PartitionOptions": "partitions.apply",
    "PartitionPlan": "partitions.plan",
    "Place": "model.source",
    "Plan": "model.migration",
    "Project": "project.config",
    "Status": "migrate.status",
    "Verified": "verify.verify",
    "apply_partitions": "api",
    "find": "project.config",
    "health": "api",
    "lint": "api",
    "migrate": "api",
    "migrations": "project.migrations",
    "plan": "api",
    "plan_partitions": "api",
    "rollback": "api",
    "status": "api",
    "test": "api",
    "verify": "verify.verify",
}
"""The module of each public name."""

__all__ = ["__version__", *_MODULES]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)


class _Package(ModuleType):
    """A package in which a public function hides the subpackage of the same name.

    Importing `aigym_db.migrate.plan` assigns the subpackage to the attribute `migrate`, which is the
    function.
    """

    def __setattr__(self, name: str, value: Any) -> None:
        if not (name in _MODULES and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
