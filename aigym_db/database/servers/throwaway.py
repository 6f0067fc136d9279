"""Throwaway servers: they are not durable, and end with their process."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from aigym_db.database.servers.server import Build, Throwaway


@contextmanager
def throwaway(
    name: str = "embedded",
    *,
    template_key: str | None = None,
    build: Build | None = None,
    settings: Mapping[str, str] | None = None,
) -> Iterator[Throwaway]:
    """Yield a new server, which is removed at the end of the `with` block.

    `name` is a server name such as `embedded`, `system:15` or `container:postgres:17`. With `template_key`
    and `build`, the server has a database `template` that `build(dsn)` has filled, together with the roles
    that `build` created; installed programs cache the result per machine, so the key must change whenever the
    effect of `build` would change. `settings` are added to those of every throwaway server.

    Raise ServerUnfit (AIG-G005) if it cannot be started.
    """
    server = start(name, template_key=template_key, build=build, settings=settings)
    try:
        yield server
    finally:
        server.stop()


def start(
    name: str = "embedded",
    *,
    template_key: str | None = None,
    build: Build | None = None,
    settings: Mapping[str, str] | None = None,
) -> Throwaway:
    """Start a throwaway server that the caller must stop; otherwise the same as `throwaway`."""
    if name.partition(":")[0] == "container":
        from aigym_db.database.servers.container import start_container

        return start_container(name, build, settings or {})
    from aigym_db.database.servers.installed import start_installed

    return start_installed(name, template_key, build, settings or {})
