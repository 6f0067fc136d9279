"""The place in the templates that defines an object of the database."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Protocol

from aigym_db.model.catalog import Key
from aigym_db.model.source import Place
from aigym_db.model.sql import Script


class Files(Protocol):
    """The templates of a project."""

    @property
    def scripts(self) -> tuple[Script, ...]:
        """Every rendered template."""


def place_of_name(files: Files, name: str) -> Place | None:
    """Return the place in the templates of an object, e.g. `schema.table.policy` or `schema.function(…)`.

    Return None if no template contains its name. For an object of a table, the table's file is enough.
    """
    return _place_of(files, name, policies_first=True)


def place_of_key(files: Files, key: Key) -> Place | None:
    """Return the place in the templates of a catalog object; see `place_of_name`."""
    return _place_of(files, key.name, policies_first=key.kind == "policy")


def _place_of(files: Files, name: str, *, policies_first: bool) -> Place | None:
    plain = name.replace('"', "").partition("(")[0].split(".")
    sources = {script.source.file: script.source for script in files.scripts}
    here = [sources[file] for file in _candidates(plain, policies_first) if file in sources]
    # The file of an index is that of a table in its schema, which one its name does not show.
    near = [source for file, source in sources.items() if file.startswith(f"schema/{plain[0]}/")]
    for source in here + near if len(plain) == 2 else here:
        match = re.search(rf"\b{re.escape(plain[-1])}\b", _without_card(source.text))
        if match:
            return source.place(match.start())
    # For an object that no file names, the file of its table is the place where it belongs.
    own = [source for source in here if source.file == f"schema/{'/'.join(plain[:2])}.sql.j2"]
    return own[0].place(0) if own else None


def _candidates(names: list[str], policies_first: bool) -> Iterator[str]:
    schema, table = names[0], names[1] if len(names) > 1 else ""
    if len(names) > 2 and policies_first:
        yield f"policies/{schema}.sql.j2"
    yield f"schema/{schema}/{table}.sql.j2"
    yield f"schema/{schema}/_functions/{table}.sql.j2"
    yield f"schema/{schema}/_views/{table}.sql.j2"
    yield f"schema/{schema}/_types.sql.j2"
    yield f"schema/{schema}/_schema.sql.j2"
    yield "schema/_roles.sql.j2"


def _without_card(text: str) -> str:
    """Return the text with comments replaced by spaces, so that offsets are unchanged."""
    return re.sub(r"--[^\n]*", lambda comment: " " * len(comment[0]), text)
