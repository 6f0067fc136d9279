"""Exceptions of Jinja as errors with the place in the template or macro."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from types import TracebackType

from jinja2 import TemplateNotFound, TemplateSyntaxError, UndefinedError, nodes
from jinja2.exceptions import SecurityError

from aigym_db.errors import BadTemplate
from aigym_db.model.source import Place, Source
from aigym_db.model.wording import similar
from aigym_db.project.jinja import Tree, Unprintable

_TAGS = (
    "block",
    "call",
    "extends",
    "filter",
    "for",
    "from",
    "if",
    "import",
    "include",
    "macro",
    "raw",
    "set",
)
_QUOTED = re.compile(r"'((?:[^'\\]|\\.)*)'")


def template_error(
    error: Exception, source: Source, tree: Tree, variables: Mapping[str, object]
) -> BadTemplate:
    """Return BadTemplate (AIG-P004) for an exception raised while a template was rendered.

    Its place is the line of the template or macro that is wrong; `variables` are those it was rendered with.
    """
    lines = list(_lines(error, tree.texts))
    file, line = lines[-1] if lines else (source.file, 1)
    text = tree.texts.get(file, source.text)
    message = _sentence(error)
    quoted = [word for word in _QUOTED.findall(message) if word]
    place = _place(Source(file, text), line, quoted)
    known = {**tree.plain.globals, **variables}
    return BadTemplate(
        f"{file} cannot be rendered: {message}.",
        place=place,
        detail="\n".join(dict.fromkeys(f"in {caller}, line {number}" for caller, number in lines[:-1])),
        hint=_hint(error, message, quoted, text, tree, known)
        or "Correct the template at the caret, or close what was opened before it.",
    )


def _lines(error: BaseException, texts: Mapping[str, str]) -> Iterator[tuple[str, int]]:
    """Yield the file and line of each template on the traceback, outermost first."""
    if isinstance(error, TemplateSyntaxError):
        yield error.filename or "", error.lineno
        return
    frame: TracebackType | None = error.__traceback__
    while frame is not None:
        file = frame.tb_frame.f_code.co_filename
        if file in texts:
            yield file, frame.tb_lineno
        frame = frame.tb_next


def _sentence(error: Exception) -> str:
    if isinstance(error, TemplateNotFound):
        return f"there is no template '{error}'"
    if isinstance(error, RecursionError):
        return "its macros call each other without end"
    return (str(error) or type(error).__name__).rstrip(".").partition("\n")[0]


def _place(source: Source, line: int, quoted: list[str]) -> Place:
    """Return the place of the last quoted word on the line, or of the first tag if none occurs there."""
    start = 0
    for _ in range(line - 1):
        start = source.text.find("\n", start) + 1
    tag_end = re.compile(r"[}%]\}|\Z").search(source.text, start)
    end = max(tag_end.end() if tag_end else 0, source.text.find("\n", start))
    for word in reversed(quoted):
        match = re.compile(rf"(?<!\w){re.escape(word)}(?!\w)").search(source.text, start, end)
        if match:
            return source.place(match.start())
    character = re.compile(r"\{[{%]|[^ \t]").search(source.text, start)
    tag = re.compile(r"[^\n]*?(\{[{%])").match(source.text, start)
    return source.place(tag.start(1) if tag else character.start() if character else start)


def _hint(
    error: Exception, message: str, quoted: list[str], text: str, tree: Tree, known: Mapping[str, object]
) -> str:
    if isinstance(error, TemplateNotFound):
        return _near(str(error), tree.list_templates()) or (
            f"Name a file below {tree.project.show(tree.folder)}/."
        )
    if isinstance(error, RecursionError):
        return "Let one of the macros end without a call, or write the lines out."
    if isinstance(error, SecurityError) or "is unsafe" in message:
        return "Use the fields of `table`, `tables` and `domains`; nothing else of Python can be reached."
    if isinstance(error, Unprintable):
        return "Choose a field of it, join a list with `| join(', ')`, or give a value with `or ''`."
    if isinstance(error, TemplateSyntaxError):
        unknown = re.match(r"Encountered unknown tag '(\w+)'", message)
        if unknown:
            return _near(unknown[1], _TAGS)
        return _near(quoted[-1], _filters(tree)) if quoted and message.startswith("No filter") else ""
    if isinstance(error, UndefinedError):
        return _hint_for_undefined(message, quoted, text, tree, known)
    if "macro" in message and "argument" in message:
        return "Compare the call with the arguments of the macro."
    return ""


def _hint_for_undefined(
    message: str, quoted: list[str], text: str, tree: Tree, known: Mapping[str, object]
) -> str:
    exported = re.match(r"the template '([^']+)'.* does not export the requested name '(\w+)'", message)
    if exported:
        path = tree.folder / exported[1]
        macros = _stored_names(tree, tree.texts.get(tree.project.show(path), ""))
        return _near(exported[2], macros) or f"Use one of: {', '.join(sorted(macros))}."
    attribute = re.match(r"'([\w.]+) object' has no attribute '(\w+)'", message)
    if attribute:
        owner = attribute[1].rpartition(".")[2]
        values = [*known.values(), *_items(known)]
        names = [
            field.name
            for value in values
            if is_dataclass(value) and type(value).__name__ == owner
            for field in fields(value)
        ]
        return _near(attribute[2], dict.fromkeys(names))
    if message.endswith("is undefined") and quoted:
        names = [*known, *_stored_names(tree, text)]
        if quoted[0] == "table":
            return "Name it in the call: a macro sees only what it is given, and only a table's file has one."
        return _near(quoted[0], names) or "Import it, set it, or hand it to the macro as an argument."
    return ""


def _items(known: Mapping[str, object]) -> Iterator[object]:
    for value in known.values():
        if isinstance(value, Mapping):
            yield from value.values()
        elif isinstance(value, tuple):
            yield from value


def _filters(tree: Tree) -> Iterable[str]:
    return tree.plain.filters


def _stored_names(tree: Tree, text: str) -> set[str]:
    """Return the names that a template defines: variables, macros, arguments, imports."""
    names: set[str] = set()
    body = tree.plain.parse(text)
    for node in body.find_all((nodes.Name, nodes.Macro, nodes.FromImport, nodes.Import)):
        if isinstance(node, nodes.Macro) or (isinstance(node, nodes.Name) and node.ctx != "load"):
            names.add(node.name)
        elif isinstance(node, nodes.Import):
            names.add(node.target)
        elif isinstance(node, nodes.FromImport):
            names |= {name if isinstance(name, str) else name[1] for name in node.names}
    return names


def _near(name: str, names: Iterable[str]) -> str:
    near = similar(name, list(names))
    return f"Write `{near[0]}`." if near else ""
