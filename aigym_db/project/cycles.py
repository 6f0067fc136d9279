"""Circular references between files."""

from __future__ import annotations

from collections.abc import Mapping

from aigym_db.errors import ReferenceCycle
from aigym_db.project.references import Reference


def cycle_error(before: Mapping[str, Mapping[str, Reference]]) -> ReferenceCycle:
    """Return ReferenceCycle (AIG-P006) for the shortest cycle among files that cannot be sorted.

    `before` maps the path of each file to the files that must precede it, with the reference that requires
    each.
    """
    cycles = [path for file in before if (path := _shortest(file, before))]
    files = min(cycles, key=len)
    edges = [before[file][other] for file, other in zip(files, [*files[1:], files[0]], strict=True)]
    names = [_title(file) for file in files]
    link = next((number for number, edge in enumerate(edges) if edge.role == "foreign key"), None)
    message = (
        f"{names[0]} and {names[1]} require each other, so neither can be created first."
        if len(names) == 2
        else f"{' → '.join([*names, names[0]])} is a circular dependency, so none can be created first."
    )
    first = edges[link or 0]
    return ReferenceCycle(
        message,
        place=first.place,
        detail="\n".join(
            f"{name} requires {edge.to} at {edge.place}" for name, edge in zip(names, edges, strict=True)
        ),
        hint=_hint(files[link]) if link is not None else _hint_without_key(names[0]),
    )


def _shortest(start: str, before: Mapping[str, Mapping[str, Reference]]) -> list[str]:
    """Return the shortest cycle through a file, or an empty list."""
    paths, seen = [[start]], {start}
    for path in paths:
        for other in before[path[-1]]:
            if other == start:
                return path
            if other in before and other not in seen:
                seen.add(other)
                paths.append([*path, other])
    return []


def _title(file: str) -> str:
    """Return the name of a file in messages: `iam.tenants` for a table, else its path."""
    parts = file.removesuffix(".sql.j2").split("/")
    is_table = len(parts) == 3 and parts[0] == "schema" and not parts[2].startswith("_")
    return f"{parts[1]}.{parts[2]}" if is_table else file


def _hint(file: str) -> str:
    folder = file.rpartition("/")[0]
    return (
        f"Move the foreign key into {folder}/_links.sql.j2 as an ALTER TABLE … ADD CONSTRAINT: "
        "it is created after the tables it connects."
    )


def _hint_without_key(name: str) -> str:
    return (
        f"Move the statement of {name} that requires the other into a separate file, such as the domain's "
        "_links.sql.j2; or write a function in plpgsql, which PostgreSQL does not check before it runs."
    )
