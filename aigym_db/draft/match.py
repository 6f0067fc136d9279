"""Classify the differences between state and history by the way a draft handles them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from aigym_db.draft.items import LAST
from aigym_db.draft.targets import StatementTarget, Subject, parent, subject
from aigym_db.draft.texts import StatementText, within
from aigym_db.model.catalog import Catalog, Difference, Key

_REMOVABLE = (
    "function",
    "procedure",
    "view",
    "materialized view",
    "policy",
    "trigger",
    "rule",
    "index",
    "statistics",
    "default privileges",
)
_RECREATED_BY = {
    "view": {"definition", "options", "columns"},
    "materialized view": {"definition", "options", "columns"},
    "policy": {"mode", "command", "roles", "using", "with_check"},
    "trigger": {"definition"},
    "index": {"definition"},
    "rule": {"definition"},
    "statistics": {"definition"},
}
_OF_SERVER = ("role", "membership", "setting", "system privileges")
_WRITER = {
    "acl": "GrantStmt",
    "comment": "CommentStmt",
    "owner": "AlterOwnerStmt",
    "row_security": "AlterTableStmt",
}


@dataclass
class Changes:
    """The differences to draft; each drafting step removes the differences it has handled."""

    state: Catalog
    history: Catalog
    passages: tuple[StatementText, ...]
    only: tuple[str, ...]
    added: set[Key] = field(default_factory=set)
    gone: set[Key] = field(default_factory=set)
    facts: list[Difference] = field(default_factory=list)
    making: set[Subject] = field(default_factory=set)
    """New objects, and objects that are dropped and recreated."""
    replaced: set[Subject] = field(default_factory=set)
    """Functions changed by CREATE OR REPLACE."""
    claimed: set[Subject] = field(default_factory=set)
    """Targets of statements in the draft."""
    created: set[Subject] = field(default_factory=set)
    """Objects that statements in the draft create by name."""
    loose: list[str] = field(default_factory=list)
    """Files of the statements whose effect is known only at run time."""

    def requires(self, target: StatementTarget) -> bool:
        """Return True if the draft requires a statement about the target."""
        if self._among(target.subject, self.making) or (
            target.parent is not None and target.parent in self.making
        ):
            return True
        return target.creates and target.subject in self.replaced

    def goes_with_its_table(self, target: StatementTarget) -> bool:
        """Return True if dropping an object created earlier in the draft also drops the target."""
        return target.parent is not None and target.parent in self.created

    def keys_of(self, made: Subject) -> tuple[list[Key], list[Key]]:
        """Return the keys of a subject in history and in the state, without columns."""
        return (
            [key for key in self.history.facts if key.kind != "column" and subject(key) == made],
            [key for key in self.state.facts if key.kind != "column" and subject(key) == made],
        )

    def on_plain_table(self, indexes: list[Key]) -> bool:
        """Return True if the tables of the indexes are not partitioned: CONCURRENTLY requires that."""
        return all(
            "partition_by"
            not in self.state.facts.get(Key("table", self.state.facts[key]["on_table"]), {"partition_by": ""})
            for key in indexes
        )

    def home(self, difference: Difference) -> tuple[tuple[int, int], str]:
        """Return order and file of the statement that sets a fact or else creates its object."""
        about = subject(difference.key)
        whole = parent(difference.key, dict(self.state.facts.get(difference.key, {})))
        near = [
            passage
            for passage in self.passages
            if any(target.subject == about or target.subject == whole for target in passage.targets)
        ]
        exact = [passage for passage in near if passage.statement.kind == _WRITER.get(difference.fact or "")]
        if near:
            best = exact[-1] if exact else near[0]
            return best.order, best.file
        if self.loose and difference.key.kind in ("database", "schema"):
            return (-1, 0), self.loose[0]
        return (LAST, 0), ""

    def of_others(self, difference: Difference) -> bool:
        """Return True if the difference belongs to a template that `only` excludes."""
        return not within(self.home(difference)[1], self.only)

    @property
    def open(self) -> list[Difference]:
        """The differences that no drafting step has handled."""
        left = [
            Difference(key, None, None, "present") for key in sorted(self.added) if not self._covered(key)
        ]
        kept = [
            Difference(key, None, "present", None) for key in sorted(self.gone) if key.kind not in _REMOVABLE
        ]
        facts = [fact for fact in self.facts if not self._explained_by_run(fact)]
        return [*([] if self.only else left), *kept, *facts]

    def made_by_running(self) -> list[Key]:
        """Return the objects created by a DO or SELECT in their schema's files and named by no statement."""
        written = {
            target.subject for passage in self.passages for target in passage.targets if target.creates
        }
        created = [
            key
            for key in sorted(self.added)
            if not self._named(key) and not self._written(key, written) and self.runner(key)
        ]
        schemas = {key.name for key in created if key.kind == "schema"}
        return [
            key
            for key in created
            if key.kind not in _OF_SERVER
            and key.name.partition(".")[0] not in schemas - {key.name}
            and not self._inside(key, created)
        ]

    def runner(self, key: Key) -> str:
        """Return the file whose run-time statements created an object, or an empty string."""
        schema = key.name.partition(".")[0].replace('"', "")
        inside = [file for file in self.loose if file.startswith(f"schema/{schema}/")]
        if inside:
            return inside[0]
        return self.loose[0] if self.loose and key.kind in _OF_SERVER else ""

    def _covered(self, key: Key) -> bool:
        return self._named(key) or bool(self.runner(key))

    def _named(self, key: Key) -> bool:
        whole = parent(key, dict(self.state.facts[key]))
        return self._among(subject(key), self.claimed) or (
            whole is not None and whole in self.claimed & self.making
        )

    def _written(self, key: Key, written: set[Subject]) -> bool:
        """Return True if a template creates the object by name, including templates that `only` excludes."""
        whole = parent(key, dict(self.state.facts[key]))
        return self._among(subject(key), written) or (whole is not None and whole in written)

    def _inside(self, key: Key, objects: list[Key]) -> bool:
        whole = parent(key, dict(self.state.facts[key]))
        return whole is not None and any(subject(other) == whole for other in objects)

    def _explained_by_run(self, difference: Difference) -> bool:
        if not self.loose:
            return False
        return difference.key.kind in _OF_SERVER or difference.fact in ("partitions", "hash_partitions")

    @staticmethod
    def _among(target: Subject, subjects: set[Subject]) -> bool:
        if target in subjects:
            return True
        if target.kind != "function":
            return False
        name, _, count = target.name.rpartition("/")
        return any(
            other.kind == "function"
            and other.name.rpartition("/")[0] == name
            and "*" in (count, other.name[-1])
            for other in subjects
        )


def compare(
    passages: tuple[StatementText, ...], state: Catalog, history: Catalog, only: tuple[str, ...]
) -> Changes:
    """Return the differences between history and state, classified."""
    changes = Changes(state, history, passages, only)
    different: dict[Key, list[Difference]] = {}
    for difference in history.difference(state):
        if difference.fact is not None:
            different.setdefault(difference.key, []).append(difference)
        elif difference.left is None:
            changes.added.add(difference.key)
        else:
            changes.gone.add(difference.key)
    known = {subject(key) for key in history.facts if key.kind != "column"}
    changes.making = {subject(key) for key in changes.added if key.kind != "column"} - known
    for key, changed in different.items():
        facts = {difference.fact for difference in changed}
        if key.kind in ("function", "procedure") and facts & {"definition", "security"}:
            same = _head(history.facts[key]["definition"]) == _head(state.facts[key]["definition"])
            (changes.replaced if same else changes.making).add(subject(key))
            changed = [fact for fact in changed if fact.fact not in ("definition", "security") and same]
        elif facts & _RECREATED_BY.get(key.kind, set()):
            changes.making.add(subject(key))
            changed = []
        changes.facts += changed
    changes.facts = [fact for fact in changes.facts if not _goes_with(fact.key, state, changes.making)]
    leaving = changes.making | {subject(key) for key in changes.gone if key.kind in _REMOVABLE}
    changes.gone = {key for key in changes.gone if not _goes_with(key, history, leaving)}
    if only:
        changes.gone = set()
    return changes


def _goes_with(key: Key, catalog: Catalog, leaving: set[Subject]) -> bool:
    whole = parent(key, dict(catalog.facts[key]))
    return whole is not None and whole in leaving


def _head(definition: str) -> str:
    """Return the part that CREATE OR REPLACE cannot change: argument names and defaults, result type."""
    return re.split(r"\n LANGUAGE ", definition, maxsplit=1)[0]
