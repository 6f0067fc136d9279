"""Running the rules: SQL is replayed in order, each statement judged before it, the whole at the end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from pglast import ast

from aigym_db.errors import ProjectError
from aigym_db.lint.allow import Allow, allows
from aigym_db.lint.chain import Chain
from aigym_db.lint.objects import TransactionState
from aigym_db.lint.reading import read
from aigym_db.lint.registry import by_name, rules
from aigym_db.lint.replay.dispatch import replay
from aigym_db.lint.rule import Rule, RuleMatch
from aigym_db.lint.section import Section, Spot
from aigym_db.lint.step import Body, StatementContext
from aigym_db.model.finding import Finding
from aigym_db.model.migration import Migration
from aigym_db.model.source import Source
from aigym_db.model.sql import Script
from aigym_db.project.migrations import parse
from aigym_db.syntax.body import body_of, inner, statements
from aigym_db.syntax.tree import is_a

_NOBODYS_BATCH = -2
"""Batches given by callers are not negative, and -1 is what the chain did not create."""


def lint_text(text: str, file: str) -> tuple[Finding, ...]:
    """The findings of one SQL file that belongs to no project; with migrate markers in it, of a "
    "migration."""
    source = Source(file, text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n"))
    if not any(line.startswith("-- migrate:up") for line in source.text.split("\n")):
        return lint([Section(source, 0, len(source.text))])
    try:
        migration = parse(source, 1, "file")
    except ProjectError as error:
        return (Finding("bad-migration", error.code, "error", error.message, error.place, error.hint),)
    return lint_project([migration])


def lint_scripts(scripts: Sequence[Script]) -> tuple[Finding, ...]:
    """The findings of SQL files that run one after the other on the same database."""
    return lint([Section.of_script(script, "file", batch=number) for number, script in enumerate(scripts)])


def lint_project(
    migrations: Sequence[Migration],
    state: Sequence[Script] = (),
    *,
    together: Iterable[int] = (),
    silent: Iterable[int] = (),
) -> tuple[Finding, ...]:
    """The findings of a project: what its migrations do, and what the database is in the end.

    What it is in the end is judged by the state where there is one, else by the replayed migrations, so
    that each finding is said once. `together` are the versions that will reach the database in one run: a
    table one of them creates is still empty for the others. `silent` are replayed and not reported.
    """
    together, silent = set(together), set(silent)
    passages: list[Section] = []
    for migration in migrations:
        batch = 0 if migration.version in together else migration.version
        reported = migration.version not in silent
        up = Section.of_part(migration.up, "up", batch=batch, reported=reported, phase=migration.phase)
        passages.append(up)
        if migration.down is not None:
            passages.append(Section.of_part(migration.down, "down", reported=reported))
    if not state:
        return lint(passages)
    schema = [Section.of_script(script, "state", batch=0) for script in state]
    return _sorted([*lint(passages, judge_end=False), *lint(schema, judge_steps=False)])


def lint(
    passages: Sequence[Section], *, judge_steps: bool = True, judge_end: bool = True
) -> tuple[Finding, ...]:
    """The findings of passages that follow one another, sorted by place.

    A down is judged on what its up has just left, and leaves nothing behind for the next.
    """
    return _Linting(judge_steps, judge_end).over(passages)


class _Linting:
    def __init__(self, judge_steps: bool, judge_end: bool) -> None:
        self.chain = Chain()
        self.findings: list[Finding] = []
        self.allows: list[Allow] = []
        self.judge_steps, self.judge_end = judge_steps, judge_end
        self.by_statement: dict[type, list[Rule]] = {}
        for rule in rules():
            for kind in rule.on:
                self.by_statement.setdefault(kind, []).append(rule)
        self.at_end = self.by_statement.pop(Chain, [])
        self.on_close = self.by_statement.pop(TransactionState, [])
        self.on_allow = self.by_statement.pop(Allow, [])

    def over(self, passages: Sequence[Section]) -> tuple[Finding, ...]:
        for number, passage in enumerate(passages):
            before = self.chain
            if passage.kind == "down":
                self.chain = before.copy()
            alone = _NOBODYS_BATCH - number
            self.chain.batch = alone if passage.batch is None else passage.batch
            self.passage(passage)
            self.chain = before
        if self.judge_end:
            for rule in self.at_end:
                self.take(rule, rule.check(self.chain))
        for allow in self.allows:
            self.judge(allow)
        return _sorted(self.findings)

    def passage(self, passage: Section) -> None:
        chain = self.chain
        found, refused = read(passage)
        chain.search_path, chain.time_zone = ("public",), None
        chain.transaction = TransactionState(explicit=False, spot=None) if passage.transaction else None
        if passage.reported:
            self.findings.extend(refused)
            self.allows.extend(allows(passage, found, passage.start, passage.end))
        for statement in found:
            self.step(StatementContext(statement, passage, chain))
        if chain.transaction is not None:
            self.at_close(passage, chain.transaction)
        chain.transaction = None

    def at_close(self, passage: Section, left: TransactionState) -> None:
        """What is still open when a passage ends."""
        if self.judge_steps and passage.reported:
            for rule in self.on_close:
                self.take(rule, rule.check(left))

    def step(self, step: StatementContext) -> None:
        if self.judge_steps and step.passage.reported:
            for rule in self.by_statement.get(type(step.tree), ()):
                if rule.in_functions or step.body != "function":
                    self.take(rule, rule.check(step))
        replay(step)
        if not step.body and is_a(step.tree, ast.DoStmt, ast.CreateFunctionStmt):
            self.inside(step)

    def inside(self, outer: StatementContext) -> None:
        """The statements in a body: a DO block runs them now, a function perhaps one day."""
        body = body_of(outer.statement)
        if body is None:
            return
        if body.start is not None and outer.passage.reported:
            nested = [found.within(body, outer.statement) for found in inner(body)]
            end = body.start + len(body.text)
            for allow in allows(outer.passage, nested, body.start, end):
                self.allows.append(allow)
        kind: Body = "do" if is_a(outer.tree, ast.DoStmt) else "function"
        for statement, located in statements(outer.passage.source, body, outer.statement):
            self.step(StatementContext(statement, outer.passage, outer.chain, kind, located))

    def take(self, rule: Rule, found: Iterator[RuleMatch]) -> None:
        for one in found:
            passage = one.spot.passage
            level = one.level or rule.level
            if passage.kind == "down":
                if rule.in_downs == "skip":
                    continue
                level = "note" if rule.in_downs == "note" else level
            if passage.reported and not self.allowed(rule.name, one.spot):
                self.findings.append(
                    Finding(rule.name, rule.code, level, one.message, one.spot.place, one.help)
                )

    def allowed(self, rule: str, spot: Spot) -> bool:
        matching = [allow for allow in self.allows if allow.matches(rule, spot)]
        for allow in matching:
            allow.used = True
        return bool(matching)

    def judge(self, allow: Allow) -> None:
        known = by_name().get(allow.rule)
        allow.exists = known is not None
        allow.asked = known is None or self.asked(known, allow.spot.passage)
        for rule in self.on_allow:
            self.take(rule, rule.check(allow))

    def asked(self, rule: Rule, passage: Section) -> bool:
        """Whether an unused allow for this rule is surely one too many.

        Not in history, for a rule about what the database is in the end: a later migration may have replaced
        what the allow was for, and a frozen file cannot follow.
        """
        if Chain in rule.on:
            return self.judge_end and not passage.in_migration
        return self.judge_steps


def _sorted(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    def place(finding: Finding) -> tuple[str, int, int, str]:
        at = finding.place
        return (at.file, at.line, at.column, finding.code) if at else ("", 0, 0, finding.code)

    return tuple(sorted(findings, key=place))
