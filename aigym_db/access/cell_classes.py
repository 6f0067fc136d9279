"""The row classes that a cell lists; in `reassign`, also a column and the class after the change."""

from __future__ import annotations

from collections.abc import Mapping

from aigym_db.project.toml import Document


def class_changes(classes: tuple[str, ...], column: str) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Return the reassignments of `column` that a `reassign` cell with these entries allows.

    Each is a pair: the row classes of the row before, and those of which it must be one after. An entry
    without ` > ` allows changes within its class: `own` is `(("own",), ("own",))`.
    """
    plain: list[str] = []
    changes: list[tuple[tuple[str, ...], tuple[str, ...]]] = []
    for text in classes:
        only, old, new = _parts(text)
        if only not in ("", column):
            continue
        if new:
            changes.append(((old,), (new,)))
        else:
            plain.append(old)
    return [(tuple(plain), tuple(plain)), *changes]


def check_classes(
    doc: Document,
    cell: str,
    classes: tuple[str, ...],
    rows: Mapping[str, str],
    reassignments: Mapping[str, str],
    table: str,
) -> None:
    """Raise BadAccessMatrix (AIG-P012) if a row class or a column of a cell does not exist."""
    for text in classes:
        column, *names = _parts(text)
        if column and column not in reassignments:
            raise doc.wrong(
                f"{cell}: `reassignments` does not contain a column `{column}`.",
                table,
                hint=f"Use one of: {', '.join(reassignments)}.",
            )
        for name in filter(None, names):
            if name != "all" and name not in rows:
                raise doc.wrong(
                    f"{cell}: the row class `{name}` does not exist.",
                    table,
                    hint=f"Define it under `rows`, or use one of: {', '.join(rows) or 'all'}.",
                )


def _parts(text: str) -> tuple[str, str, str]:
    """Split `column.old > new` into column, old and new; a missing part is empty."""
    left, _, new = text.partition(" > ")
    column, _, old = left.rpartition(".")
    return column, old, new
