"""Servers of installed programs, for tests that read their folders or call their programs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from aigym_db.database.servers.installed import InstalledThrowaway
from aigym_db.database.servers.server import Build
from aigym_db.database.servers.throwaway import throwaway


@contextmanager
def installed(
    name: str = "embedded",
    *,
    template_key: str | None = None,
    build: Build | None = None,
    settings: Mapping[str, str] | None = None,
) -> Iterator[InstalledThrowaway]:
    with throwaway(name, template_key=template_key, build=build, settings=settings) as server:
        assert isinstance(server, InstalledThrowaway)
        yield server
