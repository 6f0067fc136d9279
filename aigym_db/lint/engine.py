"""Lint SQL: replay it in order, check each statement before it is replayed, and the catalog at the end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from pglast import ast

from aigym_db.errors import ProjectError
from aigym_db.lint.allow import Allow, CheckedAllow, allows
from aigym_db.lint.chain import Chain
from aigym_db.lint.objects import TransactionState
from aigym_db.lint.reading import parse_section
from aigym_db.lint.replay import replay
from aigym_db.lint.rule import Rule, RuleMatch, rules, rules_by_name
from aigym_db.lint.section import Section, Spot
from aigym_db.lint.step import Body, StatementContext
from aigym_db.model.finding import Finding
from aigym_db.model.migration import Migration
from aigym_db.model.source import Source
from aigym_db.model.sql import Script
from aigym_db.project.migrations import parse
from aigym_db.syntax.body import body_of, inner, statements
from aigym_db.syntax.tree import is_a

_FIRST_SEPARATE_BATCH = -2
"""Sections without a batch are numbered down from here: batches of callers are not negative, and -1 is
that of unknown relations."""


def lint_text(text: str, file: str) -> tuple[Finding, ...]:
    """Return the findings of one SQL file that belongs to no project, sorted by place; `file` is its name.

    A text with a line `-- migrate:up` is read as a migration; if its markers are wrong, that is the only
    finding.
    """
    source = Source(file, text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n"))
    if not any(line.startswith("-- migrate:up") for line in source.text.split("\n")):
        return lint([Section(source, 0, len(source.text))])
    try:
        migration = parse(source, 1, "file")
    except ProjectError as error:
        return (Finding("bad-migration", error.code, "error", error.message, error.place, error.hint),)
    return lint_project([migration])


def lint_project(migrations: Sequence[Migration], state: Sequence[Script] = ()) -> tuple[Finding, ...]:
    """Return the findings of a project, sorted by place.

    Statements are checked in `migrations`, oldest first. The catalog is checked after replaying `state`, the
    rendered templates in order of creation, or, if that is empty, after the migrations. An allow comment
    above `-- migrate:up` or below an irreversible down suppresses nothing, which is a finding.
    """
    sections: list[Section] = []
    for migration in migrations:
        sections.append(Section(migration.up.source, 0, migration.up.start, "up"))
        sections.append(Section.of_part(migration.up, "up", batch=migration.version, phase=migration.phase))
        if migration.down is not None:
            sections.append(Section.of_part(migration.down, "down"))
        else:
            sections.append(
                Section(migration.up.source, migration.up.end, len(migration.up.source.text), "down")
            )
    if not state:
        return lint(sections)
    schema = [Section.of_script(script, "state", batch=0) for script in state]
    return _sorted([*lint(sections, check_catalog=False), *lint(schema, check_statements=False)])


def lint(
    sections: Sequence[Section], *, check_statements: bool = True, check_catalog: bool = True
) -> tuple[Finding, ...]:
    """Return the findings of sections that are executed one after the other, sorted by place.

    `check_statements` selects the rules on single statements and transactions, `check_catalog` those on the
    catalog after the last section. A down is checked against the catalog after its up, and later sections
    against the catalog without the down.
    """
    return _Linter(check_statements, check_catalog).lint(sections)


class _Linter:
    def __init__(self, check_statements: bool, check_catalog: bool) -> None:
        self.findings: list[Finding] = []
        self.allows: list[Allow] = []
        self.used: set[Allow] = set()
        self.check_statements, self.check_catalog = check_statements, check_catalog
        self.rules_on: dict[type, list[Rule]] = {}
        for rule in rules():
            for kind in rule.on:
                self.rules_on.setdefault(kind, []).append(rule)

    def lint(self, sections: Sequence[Section]) -> tuple[Finding, ...]:
        chain = Chain()
        for number, section in enumerate(sections):
            batch = _FIRST_SEPARATE_BATCH - number if section.batch is None else section.batch
            self.section(section, chain.copy() if section.kind == "down" else chain, batch)
        if self.check_catalog:
            self.check(Chain, chain)
        for allow in self.allows:
            self.allow(allow)
        return _sorted(self.findings)

    def section(self, section: Section, chain: Chain, batch: int) -> None:
        parsed, errors = parse_section(section)
        self.findings.extend(errors)
        self.allows.extend(allows(section, parsed, section.start, section.end))
        chain.start_section(batch, transaction=section.transaction)
        for statement in parsed:
            self.statement(StatementContext(statement, section, chain))
        if chain.transaction is not None and self.check_statements:
            self.check(TransactionState, chain.transaction)

    def statement(self, step: StatementContext) -> None:
        if self.check_statements:
            self.check(type(step.tree), step, in_function=step.body == "function")
        replay(step)
        if not step.body and is_a(step.tree, ast.DoStmt, ast.CreateFunctionStmt):
            self.body(step)

    def body(self, outer: StatementContext) -> None:
        """Lint the statements of a body: a DO block executes them now, a function only when it is called."""
        body = body_of(outer.statement)
        if body is None:
            return
        if body.start is not None:
            nested = [command.within(body, outer.statement) for command in inner(body)]
            self.allows.extend(allows(outer.section, nested, body.start, body.start + len(body.text)))
        kind: Body = "do" if is_a(outer.tree, ast.DoStmt) else "function"
        for statement, located in statements(outer.section.source, body, outer.statement):
            self.statement(StatementContext(statement, outer.section, outer.chain, kind, located))

    def allow(self, allow: Allow) -> None:
        """Check an allow comment itself: its rule must exist, and the comment must suppress a finding."""
        rule = rules_by_name().get(allow.rule)
        unused = (
            rule is not None
            and allow not in self.used
            and (allow.covers is None or self.covered(rule, allow.spot.section))
        )
        self.check(CheckedAllow, CheckedAllow(allow, rule is not None, unused))

    def covered(self, rule: Rule, section: Section) -> bool:
        """Return whether a rule has been checked in a section, so that an allow comment for it must be used.

        For rules on the catalog this is false in migrations: a later migration may have replaced the object
        that the comment is about, and a frozen file cannot be changed.
        """
        if Chain in rule.on:
            return self.check_catalog and not section.in_migration
        return self.check_statements

    def check(self, kind: type, subject: object, *, in_function: bool = False) -> None:
        for rule in self.rules_on.get(kind, ()):
            if rule.in_functions or not in_function:
                self.report(rule, rule.check(subject))

    def report(self, rule: Rule, matches: Iterator[RuleMatch]) -> None:
        for match in matches:
            level = match.level or rule.level
            if match.spot.section.kind == "down":
                if rule.in_downs == "skip":
                    continue
                level = "note" if rule.in_downs == "note" else level
            if not self.suppressed(rule.name, match.spot):
                self.findings.append(
                    Finding(rule.name, rule.code, level, match.message, match.spot.place, match.hint)
                )

    def suppressed(self, rule: str, spot: Spot) -> bool:
        """Return True if an allow comment covers a finding at this spot; record the comment as used."""
        matching = [allow for allow in self.allows if allow.matches(rule, spot)]
        self.used.update(matching)
        return bool(matching)


def _sorted(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    def key(finding: Finding) -> tuple[str, int, int, str]:
        place = finding.place
        return (place.file, place.line, place.column, finding.code) if place else ("", 0, 0, finding.code)

    return tuple(sorted(findings, key=key))
