"""Rendering of templates as SQL."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from aigym_db.errors import AigymError
from aigym_db.model.card import Card, Domain
from aigym_db.model.source import Source, Span
from aigym_db.project.cards import cards_of
from aigym_db.project.config import Project
from aigym_db.project.domains import domains
from aigym_db.project.jinja import Tree
from aigym_db.project.source_map import spans_by_line
from aigym_db.project.template_errors import template_error
from aigym_db.project.templates import TREES, Template, template, templates


def render(project: Project) -> tuple[Source, ...]:
    """Return every template of `schema/` and `policies/` as SQL, sorted by path.

    The result depends on these files only, not on the machine or the time. Raise BadTemplate (AIG-P004) at
    the line of the template or macro that is wrong, BadCard (AIG-P003) and StrayFile (AIG-P015).
    """
    files = templates(project)
    renderer = Renderer(project, files)
    return tuple(renderer.render(file) for file in files)


def render_file(project: Project, path: Path) -> Source:
    """Return one template of `schema/` or `policies/` as SQL; raise what `render` raises."""
    return Renderer(project, templates(project)).render(template(project, path))


class Renderer:
    """The domains, cards and macros that all templates of a project share."""

    def __init__(self, project: Project, files: tuple[Template, ...]) -> None:
        self.project = project
        self.domains: tuple[Domain, ...] = domains(project)
        external = {domain.name for domain in self.domains if domain.external}
        self.tables: Mapping[str, Card] = cards_of(file for file in files if file.domain not in external)
        shared = {"tables": self.tables, "domains": self.domains}
        self._trees = {tree: Tree(project, tree, shared) for tree in TREES}

    def render(self, template: Template) -> Source:
        """Return one template as SQL that ends in exactly one line end, with the origin of each piece."""
        tree = self._trees[template.file.partition("/")[0]]
        path = self.project.root / template.file
        card = self.tables.get(f"{template.domain}.{template.name}") if template.kind == "table" else None
        variables: dict[str, object] = {"table": card} if card else {}
        try:
            text = _ended(tree.render(path, variables))
        except AigymError:
            raise
        except Exception as error:  # Jinja runs the expressions of templates: they may raise anything
            raise template_error(error, template.source, tree, variables) from None
        spans = _spans(tree, template, variables, text)
        return Source(template.file, text, spans, {span.file: tree.texts[span.file] for span in spans})


def _spans(tree: Tree, template: Template, variables: Mapping[str, object], text: str) -> tuple[Span, ...]:
    """Return the origin of each piece of the text: by marks, or by line if the marks changed the result."""
    file, path = template.file, tree.project.root / template.file
    try:
        unmarked, spans = tree.marks.read(tree.render(path, variables, marked=True))
    except Exception:  # a template may inspect a text and fail on the marks in it
        unmarked, spans = "", []
    if _ended(unmarked) != text:
        return spans_by_line(file, template.source.text, text)
    return (Span(0, file, 0, 0), *spans)


def _ended(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n").rstrip() + "\n"
