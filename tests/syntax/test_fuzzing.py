"""Random SQL from a grammar goes through the splitter, the state, lint and the pre-flight check.

Each input must end within `LIMIT_S` seconds, and only an AigymError may be raised. A failure names its seed.
The long run (marker `exhaustive`) has AIGYM_DB_FUZZ_INPUTS inputs (default 20,000) from AIGYM_DB_FUZZ_SEED
on.
"""

from __future__ import annotations

import itertools
import os
import random
import re
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pglast.parser import ParseError, parse_sql, split

from aigym_db.errors import AigymError
from aigym_db.lint.engine import lint_text
from aigym_db.migrate.preflight import inspect, steps
from aigym_db.model.source import Source
from aigym_db.project.migrations import parse as parse_migration
from aigym_db.project.references import qualified_names, references
from aigym_db.project.text import normalised
from aigym_db.syntax.parse import parse
from aigym_db.syntax.split import segments, statements
from aigym_db.syntax.tree import nodes

INPUTS = int(os.environ.get("AIGYM_DB_FUZZ_INPUTS", "20000"))
SEED = int(os.environ.get("AIGYM_DB_FUZZ_SEED", "1000"))
LIMIT_S = 10

GRAMMAR = Path(__file__).with_name("grammar.txt")
"""A rule per line: alternatives between bars, optional parts in brackets, names of rules in capitals, ~ for
nothing."""
ODD = ["\x0b", "\x0c", "\x1c", "\x1e", "\x85", "\u2028", "\u2029", "\u00a0", "\ufeff", "\r", "\r\n", "😀"]
BROKEN = ["'", '"', "$$", "$x$", "/*", "*/", "--", "(", ")", ";", "\\", "\\.\n", "\\connect x\n", "::", ":a"]
GAPS = [" ", " ", " ", "\n", "\t", "/* ; /* ' */ */", "-- x;\n", "\n-- '\n", "\f"]
OPTIONS = ["", "", " transaction:false", " role:none", " batch:10", " phase:expand"]
DUMP_HEAD = "--\n-- PostgreSQL database dump\n--\n\nSET lock_timeout = 0;\n"
TOKEN = re.compile(r"\[\[.*?\].*?\]|\[[^\[\]]* [^\[\]]*\]|\[[a-zA-Z]+\]|\w+|\W")


def rules() -> dict[str, list[list[str]]]:
    alternatives: dict[str, list[list[str]]] = {}
    for line in GRAMMAR.read_text(encoding="utf-8").strip().split("\n"):
        name, _, text = line.partition(": ")
        alternatives[name] = [
            TOKEN.findall(option.strip(" ").replace("~", "")) for option in text.split(" | ")
        ]
    return alternatives


RULES = rules()


class Generator:
    """Random texts from the grammar; the same seed returns the same text."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def expand(self, name: str, depth: int = 0) -> str:
        options = RULES[name]
        option = self.random.choice(options[:4] if depth > 6 else options)
        return "".join(self.token(token, depth) for token in option)

    def token(self, token: str, depth: int) -> str:
        if token.startswith("[") and len(token) > 2 and token != "[]":
            inner = re.findall(r"\[[^\[\]]*\]|\w+|\W", token[1:-1])
            return "".join(self.token(part, depth) for part in inner) if self.random.random() < 0.4 else ""
        if token in RULES:
            return self.expand(token, depth + 1) if depth < 14 else "x"
        return self.random.choice(GAPS) if token == " " and self.random.random() < 0.05 else token

    def copy(self) -> str:
        lines = ["1\t'\n", "\\N\n", "-- migrate:down\n", "$$;\n", "\\.x\n", ""]
        rows = self.random.choice(lines) + self.random.choice(lines)
        gap = self.random.choice(["", " ", " -- x", " select 1"])
        head = self.random.choice(["copy app.t from stdin", 'COPY "a b" (a, "b") FROM stdin (format csv)'])
        return f"{head};{gap}\n{rows}" + self.random.choice(["\\.\n", "\\.\n", "\\.", ""])

    def script(self) -> str:
        parts = []
        for _ in range(self.random.randint(1, 4)):
            text = self.copy() if self.random.random() < 0.15 else self.expand("STATEMENT") + ";"
            parts.append(self.damaged(text) if self.random.random() < 0.35 else text)
        return self.random.choice(["\n", " ", "\n\n", ";"]).join(parts)

    def damaged(self, text: str) -> str:
        for _ in range(self.random.randint(1, 3)):
            index = self.random.randint(0, len(text))
            match self.random.randint(0, 3):
                case 0:
                    text = text[:index] + self.random.choice(ODD) + text[index:]
                case 1:
                    text = text[:index] + self.random.choice(BROKEN) + text[index:]
                case 2:
                    text = text[:index] + text[index + self.random.randint(1, 8) :]
                case _:
                    text = text[:index]
        return text

    def migration(self) -> str:
        options, head = self.random.choice(OPTIONS), self.random.choice(["", "", DUMP_HEAD])
        down = self.random.choice([self.script(), "", "select 1;"])
        text = f"-- migrate:up{options}\n{head}{self.script()}\n-- migrate:down\n{down}\n"
        return text if self.random.random() < 0.8 else text.replace("\n", "\r\n")


@contextmanager
def time_limit(text: str) -> Iterator[None]:
    def stop(*_: object) -> None:
        raise TimeoutError(f"still running after {LIMIT_S} s: {text!r}")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, LIMIT_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def check_split(text: str) -> None:
    """The statements are those of PostgreSQL's parser, and segments cover the text in order."""
    end = 0
    for segment in segments(text, 0, len(text)):
        assert end <= segment.start <= segment.end <= len(text)
        end = segment.after
    try:
        expected = split(text)
    except (ParseError, UnicodeError):
        return
    if any(segment.kind in ("copy", "command") for segment in segments(text, 0, len(text))):
        return
    pieces = [text[start:stop] for start, stop in statements(text, 0, len(text))]
    assert [statement for piece in pieces for statement in split(piece)] == list(expected)


def check_state(text: str) -> None:
    script = parse(Source("schema/app/t.sql", text))
    result = references(script)
    for statement in script.statements:
        assert parse_sql(statement.text)
        assert next(nodes(statement.tree)) is statement.tree
    for reference in result.required:
        assert reference.place.line >= 1
    for body in itertools.chain(*result.bodies.values(), (text for _, text in result.blocks)):
        assert all(name.schema for name in qualified_names(body))


def check_migration(text: str) -> None:
    source = normalised(text.encode("utf-8", "surrogatepass"), "migrations/0001_x.sql")
    migration = parse_migration(source, 1, "x")
    for part in (migration.up, migration.down):
        for check in (steps, inspect) if part is not None else ():
            with ignored():
                check(part)


def check_lint(text: str) -> None:
    lint_text(text, "migrations/0001_x.sql")


@contextmanager
def ignored() -> Iterator[None]:
    try:
        yield
    except AigymError as error:
        str(error)


def check(seed: int) -> None:
    generator = Generator(seed)
    script, migration = generator.script(), generator.migration()
    checks: list[tuple[Callable[[str], None], str]] = [
        (check_split, script),
        (check_state, script),
        (check_lint, script),
        (check_migration, migration),
        (check_lint, migration),
    ]
    for function, text in checks:
        with time_limit(text), ignored():
            try:
                function(text)
            except (AigymError, TimeoutError):
                raise
            except BaseException as error:
                error.add_note(f"seed {seed}, {function.__name__}: {text!r}")
                raise


@pytest.mark.parametrize("block", range(4))
def test_no_input_hangs_and_only_documented_errors_are_raised(block: int) -> None:
    for seed in range(block, 600, 4):
        check(seed)


@pytest.mark.exhaustive
@pytest.mark.parametrize("block", range(8))
def test_no_input_of_a_long_run_hangs_or_raises_another_error(block: int) -> None:
    for seed in range(SEED + block, SEED + INPUTS, 8):
        check(seed)


def test_most_statements_of_the_grammar_are_valid() -> None:
    valid = 0
    for seed in range(300):
        try:
            parse_sql(Generator(seed).expand("STATEMENT"))
        except ParseError:
            continue
        valid += 1

    assert valid > 150
