"""The Jinja environment of templates: no clock, no random values, no environment variables, no file outside
their own folder."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, MutableMapping
from pathlib import Path
from typing import Any

from jinja2 import (
    BaseLoader,
    Environment,
    StrictUndefined,
    Template,
    TemplateNotFound,
    TemplateRuntimeError,
    Undefined,
)
from jinja2.loaders import split_template_path
from jinja2.sandbox import ImmutableSandboxedEnvironment

from aigym_db.project.config import Project
from aigym_db.project.source_map import Marking, Marks
from aigym_db.project.templates import read

_WITHOUT_FILTERS = ("random", "pprint", "urlize", "xmlattr")
_WITHOUT_GLOBALS = ("lipsum",)
_MARK_IN_PYTHON = re.compile(r"(\\\\)|\\U000f[0-9a-f]{4}")
"""A character of a mark as `repr` writes it; the first branch takes backslashes of the template itself."""


class Unprintable(TemplateRuntimeError):
    """The value of an expression has no representation in SQL."""


class Tree(BaseLoader):
    """The templates of `schema/` or `policies/`, each read and translated to Python once."""

    def __init__(self, project: Project, folder: str, context: Mapping[str, object]) -> None:
        self.project, self.folder = project, project.root / folder
        self.marks = Marks()
        self.texts = self.marks.texts
        """The text of each template that was loaded, by its path relative to the project."""
        self.marked = _environment(self, context)
        self.plain = _environment(self, context)
        self.marked.extend(marks=self.marks)
        self.marked.add_extension(Marking)
        self._python: dict[str, str] = {}

    def render(self, path: Path, variables: Mapping[str, object], *, marked: bool = False) -> str:
        """Return one template as text, with marks or without; exceptions of Jinja propagate."""
        environment = self.marked if marked else self.plain
        return environment.get_template(path.relative_to(self.folder).as_posix()).render(variables)

    def get_source(self, environment: Environment, template: str) -> tuple[str, str, Callable[[], bool]]:
        """Return text, path and up-to-date function of a template, for Jinja; raise TemplateNotFound."""
        path = self.folder.joinpath(*split_template_path(template))
        file = self.project.show(path)
        if file not in self.texts:
            if not path.is_file():
                raise TemplateNotFound(template)
            self.texts[file] = read(self.project, path).text
        return self.texts[file], file, lambda: True

    def load(
        self,
        environment: Environment,
        name: str,
        globals: MutableMapping[str, Any] | None = None,  # noqa: A002
    ) -> Template:
        """Return the compiled template. The plain one is the Python code of the marked one without marks."""
        source, file, fresh = self.get_source(environment, name)
        if name not in self._python:
            self._python[name] = self.marked.compile(source, name, file, raw=True)
        python = self._python[name]
        if environment is self.plain:
            python = _MARK_IN_PYTHON.sub(lambda match: match[1] or "", python)
        code = compile(python, file, "exec")
        return environment.template_class.from_code(environment, code, globals or {}, fresh)

    def list_templates(self) -> list[str]:
        """Return the paths of all templates and macros, relative to `folder`. Called by Jinja."""
        return sorted(path.relative_to(self.folder).as_posix() for path in self.folder.rglob("*.j2"))


def _environment(loader: BaseLoader, context: Mapping[str, object]) -> Environment:
    environment = ImmutableSandboxedEnvironment(
        loader=loader,
        undefined=StrictUndefined,
        finalize=_printable,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        cache_size=-1,
        auto_reload=False,
    )
    for name in _WITHOUT_FILTERS:
        del environment.filters[name]
    for name in _WITHOUT_GLOBALS:
        del environment.globals[name]
    environment.globals.update(context)
    return environment


def _printable(value: object) -> object:
    """Return the value of a `{{ … }}`; raise Unprintable if it is neither a string nor a number."""
    if isinstance(value, str | int | float | Undefined):
        return value
    words = "nothing (None)" if value is None else f"a {type(value).__name__}"
    raise Unprintable(f"the expression gives {words}, which cannot be written into SQL")
