"""PostgreSQL servers of our own: throwaway ones, and the local one of a project.

`throwaway()` is a server for a `with` block, gone after it; `local(root)` lives in `.aigym-db/` and goes on
running.
"""

from __future__ import annotations

from aigym_db.database.servers.binaries import Binaries, available, find
from aigym_db.database.servers.databases import clone
from aigym_db.database.servers.databases import create as create_database
from aigym_db.database.servers.databases import drop as drop_database
from aigym_db.database.servers.leftovers import gc
from aigym_db.database.servers.local import LocalServer, local
from aigym_db.database.servers.server import Server
from aigym_db.database.servers.throwaway import TEMPLATE, Throwaway, start, throwaway

__all__ = [
    "TEMPLATE",
    "Binaries",
    "LocalServer",
    "Server",
    "Throwaway",
    "available",
    "clone",
    "create_database",
    "drop_database",
    "find",
    "gc",
    "local",
    "start",
    "throwaway",
]
