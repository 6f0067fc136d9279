"""The files in `migrations/`, read strictly."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from pathlib import Path

from aigym_db.errors import BadHistory, BadMigration
from aigym_db.model.migration import Migration, Part, Phase
from aigym_db.model.source import Source
from aigym_db.project.config import LONGEST_MS, Project
from aigym_db.project.text import CHUNK, read_text
from aigym_db.project.version_sequence import require_unbroken
from aigym_db.syntax.non_sql import copy_data_and_replacements, known_runs, unquoted_lines

FILE_NAME = re.compile(r"(\d{4,})_([a-z][a-z0-9_]*)\.sql")
# With `^`, `re` would test every line; without it, it searches for the two dashes.
_MARKER = re.compile(r"--(?<![^\n]--)[ \t]*migrate:(\S*)[ \t]*(.*)$", re.MULTILINE)
_FROM = re.compile(r"^--[ \t]*from:[ \t]*(.*)$", re.MULTILINE)
_OPTION = re.compile(r"\S+")
_SECONDS = {"ms": 1, "s": 1_000, "min": 60_000}
_PHASES: tuple[Phase, ...] = ("expand", "contract")


def migrations(project: Project) -> tuple[Migration, ...]:
    """Return the migrations of a project, oldest first.

    Raise MissingMigration (AIG-T002) if the numbers have a gap, BadHistory (AIG-P009) for a duplicate number
    or a file with another name, and BadMigration (AIG-P008) for a wrong marker or option.
    """
    folder = project.root / "migrations"
    names = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
    files = [
        read(folder / name, f"migrations/{name}")
        for name in names
        if name != "LOCK" and not name.startswith(".")
    ]
    files.sort(key=lambda migration: migration.version)
    require_unbroken(files, folder / "LOCK")
    return tuple(files)


def read(path: Path, file: str | None = None) -> Migration:
    """Return the migration in a file; `file` is its path in errors, by default `path`.

    Raise BadHistory (AIG-P009) for a wrong file name, BadMigration (AIG-P008) for a wrong marker or option.
    """
    name = FILE_NAME.fullmatch(path.name)
    shown = file or path.as_posix()
    if name is None:
        raise BadHistory(
            f"{shown} is not named like a migration.",
            hint="Name it `NNNN_some_name.sql` (digits, then lower case words), or move it elsewhere.",
        )
    return parse(read_text(path, shown), int(name[1]), name[2])


def parse(source: Source, version: int, name: str) -> Migration:
    """Return the migration in a text; raise BadMigration (AIG-P008) for a wrong marker or option."""
    text, is_outside = source.text, unquoted_lines(source.text)
    marks = [match for match in _MARKER.finditer(text) if is_outside(match.start())]
    for mark in marks:
        if mark[1] not in ("up", "down"):
            raise BadMigration(
                f"There is no marker `migrate:{mark[1]}`.",
                place=source.place(mark.start()),
                hint="Use `-- migrate:up` and `-- migrate:down`.",
            )
    if [mark[1] for mark in marks] not in (["up"], ["up", "down"]):
        seen = ", ".join(mark[1] for mark in marks) or "none"
        raise BadMigration(
            f"A migration has one `-- migrate:up`, then one `-- migrate:down`; this file has: {seen}.",
            place=source.place(marks[-1].start() if marks else 0),
            hint="Put each marker once, on a line of its own, outside any string or $$ body.",
        )
    _nothing_before(source, marks[0].start())
    up = _part(source, marks[0], marks[1].start() if len(marks) == 2 else len(text), is_outside)
    irreversible, down = None, None
    if len(marks) == 1:
        raise BadMigration(
            f"{source.file} has no `-- migrate:down`.",
            place=source.place(marks[0].start()),
            hint=_after_data(up) or "Write the inverse, or `-- migrate:down irreversible: <reason>`.",
        )
    reason = re.match(r"irreversible\b(:?)(.*)", marks[1][2])
    if reason:
        irreversible = reason[2].strip()
        if not (reason[1] and irreversible):
            raise BadMigration(
                "`irreversible:` needs a reason." if not irreversible else "`irreversible` has no colon.",
                place=source.place(marks[1].start(2)),
                hint=f"Write `irreversible: {irreversible or 'REASON'}`"
                + ("." if irreversible else ", with the reason why this migration cannot be rolled back."),
            )
        sql = _first_word(source, marks[1].end(), len(text))
        if sql is not None:
            raise BadMigration(
                "This down is marked as irreversible, but contains SQL.",
                place=source.place(sql),
                hint="Remove the SQL or the word.",
            )
    else:
        down = _part(source, marks[1], len(text), is_outside)
    origin = _FROM.search(text, 0, marks[0].start())
    return Migration(
        version=version,
        name=name,
        file=source.file,
        up=up,
        down=down,
        irreversible=irreversible,
        checksum=_checksum(text),
        made_from=tuple(part.strip() for part in origin[1].split(",")) if origin else (),
        phase=_phase(marks[0]),
    )


def _after_data(part: Part) -> str:
    """Return a hint about a marker within the data of a COPY; empty if there is none."""
    for rows in part.rows:
        if _MARKER.search(part.source.text, rows.start, rows.end):
            line = part.source.place(rows.statement).line
            return f"End the data of the COPY in line {line} with a line `\\.`: the marker is in it."
    return ""


def _checksum(text: str) -> str:
    digest = hashlib.sha256()
    for start in range(0, len(text), CHUNK):
        digest.update(text[start : start + CHUNK].encode())
    return digest.hexdigest()


def _part(source: Source, mark: re.Match[str], end: int, is_outside: Callable[[int], bool]) -> Part:
    values: dict[str, bool | int | str] = {}
    for option in _OPTION.finditer(mark[2]):
        key, _, value = option[0].partition(":")
        place = source.place(mark.start(2) + option.start())
        if key in values:
            raise BadMigration(f"`{key}` is given twice.", place=place, hint="Remove one of them.")
        if key == "transaction" and value in ("true", "false"):
            values[key] = value == "true"
        elif key == "lock_timeout" and (timeout_ms := _milliseconds(value)):
            values[key] = timeout_ms
        elif key == "role" and re.fullmatch(r"[a-z_][a-z0-9_]*", value):
            values[key] = value
        elif key == "batch" and re.fullmatch(r"[1-9][0-9]{0,6}", value):
            values[key] = int(value)
        elif key == "phase" and mark[1] == "down":
            raise BadMigration(
                "`phase` is an option of `migrate:up`; it does not apply to a rollback.",
                place=place,
                hint="Write it after `-- migrate:up`.",
            )
        elif key == "phase" and value in _PHASES:
            values[key] = value
        elif key in MARKER_OPTIONS:
            message = f"`{key}` cannot be `{value}`." if value else f"`{key}` has no value."
            raise BadMigration(message, place=place, hint=MARKER_OPTIONS[key])
        else:
            from aigym_db.model.wording import similar

            near = similar(key, MARKER_OPTIONS)
            raise BadMigration(
                f"There is no option `{key}`.",
                place=place,
                hint=f"Write `{near[0]}:{value}`."
                if near and value
                else "Use transaction:false, batch:5000, lock_timeout:5s, role:<name> or phase:contract, and "
                "nothing else.",
            )
    if "batch" in values and "transaction" in values:
        raise BadMigration(
            "`batch` and `transaction` exclude each other: each batch is a separate transaction.",
            place=source.place(mark.start(2)),
            hint="Remove the option `transaction`.",
        )
    timeout = values.get("lock_timeout")
    role = values.get("role")
    batch = values.get("batch")
    start = min(mark.end() + 1, end)
    rows, instead = copy_data_and_replacements(source.text, start, end)
    return Part(
        source=source,
        start=start,
        end=end,
        transaction=values.get("transaction", "batch" not in values) is True,
        lock_timeout_ms=timeout if isinstance(timeout, int) else None,
        role=role if isinstance(role, str) else None,
        batch_rows=batch if isinstance(batch, int) else None,
        rows=rows,
        instead=instead,
        runs=known_runs(is_outside, start, end),
    )


def _milliseconds(value: str) -> int:
    """Return a time such as `5s`, `200ms` or `1min` in milliseconds; 0 if it is invalid or too long."""
    match = re.fullmatch(r"([0-9]{1,10})(ms|s|min)", value)
    time_ms = int(match[1]) * _SECONDS[match[2]] if match else 0
    return time_ms if time_ms <= LONGEST_MS else 0


MARKER_OPTIONS = {
    "transaction": "Write transaction:true or transaction:false.",
    "lock_timeout": "Give a number from 1 on and a unit (ms, s, min), as in lock_timeout:5s.",
    "role": "Give the name of a role, or `none` for the one that connected.",
    "batch": "Give the number of rows to change at a time, from 1 to 9999999, as in batch:5000.",
    "phase": "Write phase:expand (before the application switches) or phase:contract (after).",
}


def _phase(mark: re.Match[str]) -> Phase | None:
    options = mark[2].split()
    return next((phase for phase in _PHASES if f"phase:{phase}" in options), None)


def _nothing_before(source: Source, end: int) -> None:
    index = _first_word(source, 0, end)
    if index is not None:
        raise BadMigration(
            "There is SQL before `-- migrate:up`; it would never run.",
            place=source.place(index),
            hint="Move it below the marker.",
        )


_BLANK = re.compile(r"(?:\s+|--[^\n]*)*")


def _first_word(source: Source, start: int, end: int) -> int | None:
    """Return the index of the first character that is neither white space nor in a line comment."""
    index = _BLANK.match(source.text, start, end).end()  # type: ignore[union-attr]
    return index if index < end else None
