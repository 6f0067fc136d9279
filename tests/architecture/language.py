"""Words the project does not use, and where they occur: `python tests/architecture/language.py [PATH…]`."""

from __future__ import annotations

import ast
import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
SUFFIXES = {".py", ".sql", ".toml", ".j2", ".md", ".yml", ""}
FOREIGN = re.compile(r"""Connection refused|"nobody", "postgres", "daemon"|\'nobody\'""")
"""Words of the operating system and values, which are not ours to choose."""
LEFT_OUT = (
    "LICENSE",
    "requirements.txt",
    "tests/architecture/language.py",
    "tests/architecture/test_names.py",
)
"""Foreign texts, this list and its test."""

VERBS = (
    r"say|says|said|saying|tell|tells|told|telling|hear|hears|heard|hearing"
    r"|speak|speaks|spoke|spoken|speaking"
)
PEOPLE = r"nobody|somebody|whoever|everybody|anybody"
TERMS = (
    r"undo|undoes|undone|undoing|half[- ]?way|half[- ](?:applied|undone|done|built)"
    r"|takes? back|taken back|took back|left behind|leaves behind|leftovers?"
    r"|refuse|refuses|refused|refusal|refusals|refusing"
    r"|for want of|cut short|given up|gives up|give up|crew|playhouse|answers? sheet|sheets?"
)
NAMES = {"found", "one", "at", "said", "what"}

_WORDS = {
    "verb": re.compile(rf"(?<![a-z])(?:{VERBS})(?![a-z])", re.IGNORECASE),
    "people": re.compile(rf"(?<![a-z])(?:{PEOPLE})(?![a-z])", re.IGNORECASE),
    "term": re.compile(rf"(?<![a-z])(?:{TERMS})(?![a-z])", re.IGNORECASE),
}


class Use(NamedTuple):
    """One use of a word that the project does not use."""

    kind: str
    path: Path
    line: int
    word: str


def texts(*places: Path) -> Iterator[Path]:
    """The project's own files below some places."""
    for place in places:
        for path in sorted(place.rglob("*")) if place.is_dir() else [place]:
            name = path.relative_to(ROOT).as_posix()
            hidden = any(
                part.startswith(".") and part not in {".ci", ".github"}
                for part in path.relative_to(ROOT).parts
            )
            if path.is_file() and path.suffix in SUFFIXES and not hidden and not name.startswith(LEFT_OUT):
                yield path


def uses(path: Path) -> Iterator[Use]:
    """Every use in a file of a word, a variable's name or a docstring's beginning that is not ours."""
    text = path.read_text()
    for number, line in enumerate(FOREIGN.sub("", text).splitlines(), 1):
        for kind, pattern in _WORDS.items():
            for match in pattern.finditer(line):
                yield Use(kind, path, number, match[0].lower())
    if path.suffix == ".py":
        yield from _names(path, ast.parse(text))


def _names(path: Path, tree: ast.Module) -> Iterator[Use]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and node.id in NAMES:
            yield Use("name", path, node.lineno, node.id)
        elif isinstance(node, ast.arg) and node.arg in NAMES:
            yield Use("name", path, node.lineno, node.arg)
        elif isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef) and (
            ast.get_docstring(node) or ""
        ).startswith("Nothing"):
            yield Use("docstring", path, getattr(node, "lineno", 1), "Nothing …")


def _main() -> None:
    places = [Path(place).resolve() for place in sys.argv[1:]] or [ROOT]
    files = list(texts(*places))
    every = [use for path in files for use in uses(path)]
    for use in every:
        print(f"{use.path.relative_to(ROOT)}:{use.line}: {use.kind} {use.word}")
    lines = sum(len(path.read_text().splitlines()) for path in files)
    counts = Counter(use.kind for use in every)
    print(
        f"{lines:,} lines: "
        + ", ".join(f"{kind} {n} ({n / lines * 1000:.1f}/1000)" for kind, n in counts.items())
    )


if __name__ == "__main__":
    _main()
