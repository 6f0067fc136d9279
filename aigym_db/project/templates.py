"""The templates of a project, and the object that each describes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from aigym_db.errors import BadTemplate, StrayFile
from aigym_db.model.source import Source
from aigym_db.project.config import Project

Kind = Literal["roles", "schema", "types", "table", "function", "view", "links", "policies"]
TREES = ("schema", "policies")
MARKS = (0xF0000, 0xFFFFD)
"""The characters that rendering uses as marks: the first private plane of Unicode. No template may
contain one."""
_ENDING = ".sql.j2"
_KINDS: tuple[tuple[Kind, str], ...] = (
    ("roles", r"schema/_roles"),
    ("schema", r"schema/(?P<domain>[a-z]\w*)/_schema"),
    ("types", r"schema/(?P<domain>[a-z]\w*)/_types"),
    ("links", r"schema/(?P<domain>[a-z]\w*)/_links"),
    ("table", r"schema/(?P<domain>[a-z]\w*)/(?P<name>[a-z]\w*)"),
    ("function", r"schema/(?P<domain>[a-z]\w*)/_functions/(?P<name>[a-z_]\w*)"),
    ("view", r"schema/(?P<domain>[a-z]\w*)/_views/(?P<name>[a-z_]\w*)"),
    ("policies", r"policies/(?P<domain>[a-z]\w*)"),
)
_OTHERS = re.compile(
    r"schema/domains\.toml|schema/[a-z]\w*/_interface\.txt|policies/(?:actors|equivalents)\.toml|policies/(?:_archetypes/)?[a-z]\w*\.access\.toml"
    r"|(?:schema/_macros|policies/_archetypes)/(?:.*/)?[^/]+\.sql\.j2"
)


@dataclass(frozen=True, slots=True)
class Template:
    """A file that is rendered by itself, unlike a macro."""

    source: Source
    kind: Kind
    domain: str | None
    """The schema that contains its object; None for the roles."""
    name: str
    """The table, function or view it describes; empty for the other kinds."""

    @property
    def file(self) -> str:
        """The path relative to the project."""
        return self.source.file


def templates(project: Project) -> tuple[Template, ...]:
    """Return every template that is rendered by itself, sorted by path.

    Raise StrayFile (AIG-P015) for a file without a function in the project, BadTemplate (AIG-P004) for a
    file that is not text.
    """
    files: list[Template] = []
    for path in _files(project):
        file = project.show(path)
        template = _template(project, path, file) if file.endswith(_ENDING) else None
        if template:
            files.append(template)
        elif not _OTHERS.fullmatch(file):
            raise StrayFile(
                f"{file} is in a folder in which aigym-db does not expect it.", hint=_advice(file)
            )
    return tuple(sorted(files, key=lambda template: template.file))


def template(project: Project, path: Path) -> Template:
    """Return the template at a path; raise StrayFile (AIG-P015) if the path is not that of a template."""
    file = project.show(path)
    template = _template(project, path, file) if file.endswith(_ENDING) and path.is_file() else None
    if template is None:
        raise StrayFile(f"{file} is not a template of this project.", hint=_advice(file))
    return template


def read(project: Project, path: Path) -> Source:
    """Return a file as text without a byte order mark, with LF line ends.

    Raise BadTemplate (AIG-P004) if it is not UTF-8 or contains a character that rendering uses as a mark.
    """
    file, content = project.show(path), path.read_bytes()
    try:
        text = content.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        good = content[: error.start].decode("utf-8-sig", "replace")
        raise BadTemplate(
            f"{file} is not UTF-8 text.",
            place=Source(file, good).place(len(good)),
            hint="Save the file as UTF-8.",
        ) from None
    source = Source(file, text)
    mark = re.search(f"[{chr(MARKS[0])}-{chr(MARKS[1])}]", text)
    if mark:
        raise BadTemplate(
            f"{file} holds U+{ord(mark[0]):04X}, a character without meaning that rendering uses for itself.",
            place=source.place(mark.start()),
            hint="Remove the character.",
        )
    return source


def _files(project: Project) -> Iterator[Path]:
    for tree in TREES:
        for path in sorted((project.root / tree).rglob("*")):
            parts = path.relative_to(project.root).parts
            hidden = any(part.startswith(".") or part.endswith("~") for part in parts)
            if path.is_file() and not hidden and path.suffix != ".md":
                yield path


def _template(project: Project, path: Path, file: str) -> Template | None:
    for kind, pattern in _KINDS:
        match = re.fullmatch(pattern, file.removesuffix(_ENDING), re.ASCII)
        if match:
            names = match.groupdict()
            return Template(read(project, path), kind, names.get("domain"), names.get("name", ""))
    return None


def _advice(file: str) -> str:
    if file.endswith(".sql"):
        return f"Rename it to {file}.j2, or move it elsewhere."
    if file != file.lower():
        return "Write its name in lower case."
    return "Move it elsewhere, or give it one of the names that `aigym-db explain AIG-P015` lists."
