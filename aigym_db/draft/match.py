"""How state and history differ, sorted by what a draft can do about it."""

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
    """What there is to do; each step takes off the lists what it has dealt with."""

    state: Catalog
    history: Catalog
    passages: tuple[StatementText, ...]
    only: tuple[str, ...]
    added: set[Key] = field(default_factory=set)
    gone: set[Key] = field(default_factory=set)
    facts: list[Difference] = field(default_factory=list)
    making: set[Subject] = field(default_factory=set)
    """New objects, and those that are dropped and made again."""
    replaced: set[Subject] = field(default_factory=set)
    """Functions that take the place of their older selves."""
    claimed: set[Subject] = field(default_factory=set)
    """What statements in the draft are about."""
    created: set[Subject] = field(default_factory=set)
    """What statements in the draft create by name."""
    loose: list[str] = field(default_factory=list)
    """The files of statements of which only running can tell what they do."""

    def wants(self, target: StatementTarget) -> bool:
        """Whether a statement about this has to be in the draft."""
        if self._among(target.subject, self.making) or (
            target.parent is not None and target.parent in self.making
        ):
            return True
        return target.creates and target.subject in self.replaced

    def goes_with_its_table(self, target: StatementTarget) -> bool:
        """Whether dropping what a statement before this one has created drops this, too."""
        return target.parent is not None and target.parent in self.created

    def keys_of(self, made: Subject) -> tuple[list[Key], list[Key]]:
        """The keys of a subject in history and in the state, tables with all that hangs on them as one."""
        return (
            [key for key in self.history.facts if key.kind != "column" and subject(key) == made],
            [key for key in self.state.facts if key.kind != "column" and subject(key) == made],
        )

    def on_plain_table(self, indexes: list[Key]) -> bool:
        """Whether the index is on a table where CONCURRENTLY works."""
        return all(
            "partition_by"
            not in self.state.facts.get(Key("table", self.state.facts[key]["on_table"]), {"partition_by": ""})
            for key in indexes
        )

    def home(self, difference: Difference) -> tuple[tuple[int, int], str]:
        """Where in the templates a fact is said, or else its object is made."""
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
        """Whether it is said in a template that is left for later."""
        return not within(self.home(difference)[1], self.only)

    @property
    def open(self) -> list[Difference]:
        """What no step has dealt with."""
        left = [
            Difference(key, None, None, "present") for key in sorted(self.added) if not self._covered(key)
        ]
        kept = [
            Difference(key, None, "present", None) for key in sorted(self.gone) if key.kind not in _REMOVABLE
        ]
        facts = [one for one in self.facts if not self._run_explains(one)]
        return [*([] if self.only else left), *kept, *facts]

    def made_by_running(self) -> list[Key]:
        """Objects that no statement names and that a DO or SELECT of their schema's files makes."""
        written = {
            target.subject for passage in self.passages for target in passage.targets if target.creates
        }
        found = [
            key
            for key in sorted(self.added)
            if not self._named(key) and not self._written(key, written) and self.runner(key)
        ]
        schemas = {key.name for key in found if key.kind == "schema"}
        return [
            key
            for key in found
            if key.kind not in _OF_SERVER
            and key.name.partition(".")[0] not in schemas - {key.name}
            and not self._inside(key, found)
        ]

    def runner(self, key: Key) -> str:
        """The file whose loose statements made an object; empty when there is none."""
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
        """Whether some template makes it by name, be it one that is left for later."""
        whole = parent(key, dict(self.state.facts[key]))
        return self._among(subject(key), written) or (whole is not None and whole in written)

    def _inside(self, key: Key, found: list[Key]) -> bool:
        whole = parent(key, dict(self.state.facts[key]))
        return whole is not None and any(subject(other) == whole for other in found)

    def _run_explains(self, difference: Difference) -> bool:
        if not self.loose:
            return False
        return difference.key.kind in _OF_SERVER or difference.fact in ("partitions", "hash_partitions")

    @staticmethod
    def _among(one: Subject, many: set[Subject]) -> bool:
        if one in many:
            return True
        if one.kind != "function":
            return False
        name, _, count = one.name.rpartition("/")
        return any(
            other.kind == "function"
            and other.name.rpartition("/")[0] == name
            and "*" in (count, other.name[-1])
            for other in many
        )


def compared(
    passages: tuple[StatementText, ...], state: Catalog, history: Catalog, only: tuple[str, ...]
) -> Changes:
    """The differences between the two, sorted."""
    found = Changes(state, history, passages, only)
    different: dict[Key, list[Difference]] = {}
    for difference in history.difference(state):
        if difference.fact is not None:
            different.setdefault(difference.key, []).append(difference)
        elif difference.left is None:
            found.added.add(difference.key)
        else:
            found.gone.add(difference.key)
    known = {subject(key) for key in history.facts if key.kind != "column"}
    found.making = {subject(key) for key in found.added if key.kind != "column"} - known
    for key, changed in different.items():
        facts = {difference.fact for difference in changed}
        if key.kind in ("function", "procedure") and facts & {"definition", "security"}:
            same = _head(history.facts[key]["definition"]) == _head(state.facts[key]["definition"])
            (found.replaced if same else found.making).add(subject(key))
            changed = [one for one in changed if one.fact not in ("definition", "security") and same]
        elif facts & _RECREATED_BY.get(key.kind, set()):
            found.making.add(subject(key))
            changed = []
        found.facts += changed
    found.facts = [one for one in found.facts if not _goes_with(one.key, state, found.making)]
    leaving = found.making | {subject(key) for key in found.gone if key.kind in _REMOVABLE}
    found.gone = {key for key in found.gone if not _goes_with(key, history, leaving)}
    if only:
        found.gone = set()
    return found


def _goes_with(key: Key, catalog: Catalog, leaving: set[Subject]) -> bool:
    whole = parent(key, dict(catalog.facts[key]))
    return whole is not None and whole in leaving


def _head(definition: str) -> str:
    """What CREATE OR REPLACE cannot change: names and defaults of arguments, and the result."""
    return re.split(r"\n LANGUAGE ", definition, maxsplit=1)[0]
