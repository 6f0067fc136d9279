"""Select the template statements that a draft contains."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from aigym_db.draft.classify import Changes
from aigym_db.draft.targets import StatementTarget, Subject, belongs_to, matches, subject
from aigym_db.draft.texts import FIRST, LAST, Position, TemplateStatement, squeeze, within
from aigym_db.model.catalog import Difference, Key

SHARED_KINDS = ("role", "membership", "setting", "system privileges")
"""Kinds of object that all databases of the server share; a rollback does not drop them."""
_WRITER = {
    "acl": "GrantStmt",
    "comment": "CommentStmt",
    "owner": "AlterOwnerStmt",
    "row_security": "AlterTableStmt",
}
"""By fact, the kind of the statement that sets it."""


@dataclass(frozen=True, slots=True)
class SelectedStatement:
    """A template statement that the draft contains."""

    template: TemplateStatement
    targets: tuple[StatementTarget, ...] = ()
    """The targets that require it; empty if its effect is known only at run time (DO, SELECT, INSERT, …)."""
    to_drop: tuple[StatementTarget, ...] = ()
    """The created targets that need a DROP of their own: the draft does not create their table, too."""


@dataclass(frozen=True, slots=True)
class Selection:
    """The statements of a draft, in order of execution, and which changes they account for."""

    changes: Changes
    templates: tuple[TemplateStatement, ...]
    """Every statement of every template, including templates that the draft excludes."""
    only: tuple[str, ...]
    """The templates and folders to which the draft is limited; empty if it is not."""
    statements: tuple[SelectedStatement, ...]
    targets: frozenset[Subject]
    """The targets that require the selected statements."""
    run_time_files: tuple[str, ...]
    """Templates of the selected statements whose effect is known only at run time."""

    def includes(self, key: Key) -> bool:
        """Return True if a selected statement creates an object, by name or at run time."""
        return self._named(key) or bool(self.run_time_file(key))

    def run_time_file(self, key: Key) -> str:
        """Return the template whose run-time statements may create an object, or an empty string."""
        schema = key.name.partition(".")[0].replace('"', "")
        of_schema = [file for file in self.run_time_files if file.startswith(f"schema/{schema}/")]
        if of_schema:
            return of_schema[0]
        return self.run_time_files[0] if self.run_time_files and key.kind in SHARED_KINDS else ""

    def run_time_objects(self) -> tuple[Key, ...]:
        """Return the added objects that no statement names and that a rollback must drop.

        Objects of the server remain, and the objects in a new schema or table are dropped with it.
        """
        written = frozenset(
            target.subject for statement in self.templates for target in statement.targets if target.creates
        )
        objects = [
            key
            for key in sorted(self.changes.added)
            if self.run_time_file(key)
            and not self._named(key)
            and not matches(subject(key), written)
            and belongs_to(key, self.changes.state) not in written
        ]
        schemas = {key.name for key in objects if key.kind == "schema"}
        subjects = {subject(key) for key in objects}
        return tuple(
            key
            for key in objects
            if key.kind not in SHARED_KINDS
            and key.name.partition(".")[0] not in schemas - {key.name}
            and belongs_to(key, self.changes.state) not in subjects
        )

    def place_of(self, difference: Difference) -> tuple[Position, str]:
        """Return position and template of the statement that sets a fact or else creates its object.

        The template is empty if no statement does.
        """
        targets = (subject(difference.key), belongs_to(difference.key, self.changes.state))
        statements = [
            statement
            for statement in self.templates
            if any(target.subject in targets for target in statement.targets)
        ]
        writer = _WRITER.get(difference.fact or "")
        writers = [statement for statement in statements if statement.parsed.kind == writer]
        if statements:
            statement = writers[-1] if writers else statements[0]
            return statement.position, statement.file
        if self.run_time_files and difference.key.kind in ("database", "schema"):
            return Position(FIRST, 0), self.run_time_files[0]
        return Position(LAST, 0), ""

    def excludes(self, difference: Difference) -> bool:
        """Return True if the difference belongs to a template that `only` excludes."""
        return not within(self.place_of(difference)[1], self.only)

    def _named(self, key: Key) -> bool:
        parent = belongs_to(key, self.changes.state)
        return matches(subject(key), self.targets) or parent in self.targets & self.changes.created


def select_statements(
    templates: Iterable[TemplateStatement], changes: Changes, *, past: str = "", only: tuple[str, ...] = ()
) -> Selection:
    """Return the template statements that create or recreate what `changes` requires.

    Statements whose effect is known only at run time are selected unless `past`, the SQL of all migrations,
    contains them. `only` limits the selection to these templates or folders.
    """
    templates = tuple(templates)
    past = squeeze(past)
    selected: list[SelectedStatement] = []
    created: set[Subject] = set()
    for statement in templates:
        if not within(statement.file, only):
            continue
        if not statement.targets:
            if squeeze(statement.parsed.text) not in past:
                selected.append(SelectedStatement(statement))
            continue
        targets = tuple(target for target in statement.targets if changes.requires(target))
        if not targets:
            continue
        created |= {target.subject for target in targets if target.creates}
        to_drop = tuple(target for target in targets if target.creates and target.parent not in created)
        selected.append(SelectedStatement(statement, targets, to_drop))
    return Selection(
        changes=changes,
        templates=templates,
        only=only,
        statements=tuple(selected),
        targets=frozenset(target.subject for statement in selected for target in statement.targets),
        run_time_files=tuple(statement.template.file for statement in selected if not statement.targets),
    )
