"""PostgreSQL servers that the package starts.

`throwaway()` runs a server for a `with` block and removes it at the end; `local(root)` is the development
server of a project, which keeps its data in `.aigym-db/` and keeps running.
"""

from __future__ import annotations

from aigym_db.database.servers.binaries import Binaries, available, find
from aigym_db.database.servers.cleanup import gc
from aigym_db.database.servers.databases import Database, clone
from aigym_db.database.servers.databases import create as create_database
from aigym_db.database.servers.databases import drop as drop_database
from aigym_db.database.servers.databases import temporary as temporary_database
from aigym_db.database.servers.local import LocalServer, local
from aigym_db.database.servers.server import Server
from aigym_db.database.servers.throwaway import TEMPLATE, Throwaway, start, throwaway

__all__ = [
    "TEMPLATE",
    "Binaries",
    "Database",
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
    "temporary_database",
    "throwaway",
]
