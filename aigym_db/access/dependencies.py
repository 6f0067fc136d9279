"""What the result of a cell depends on, as a digest: if the digest is unchanged, so is the result.

The statements of a cell use a relation in a mode (read, insert, write) as a role. From there the objects that
they can reach are followed through the catalog: policies, triggers, defaults, constraints, foreign keys in
both directions, views, partitions, and the functions in all of these. A text uses an object if it contains
every word of its name; comments and strings count. A function that executes SQL which is not in its text, or
in a language other than SQL and PL/pgSQL, uses every object.

Facts that belong to no relation or function, such as types, roles, schemas, settings and extensions, are part
of every digest. Comments are part of none.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Literal, NamedTuple

from aigym_db.access.relation_facts import RelationFacts, foreign_keys, generates_keys, relation_of
from aigym_db.model.catalog import Catalog, Key
from aigym_db.syntax.body import Body, inner

Mode = Literal["read", "insert", "write", "call"]


class Use(NamedTuple):
    """The use of a relation or function, with the privileges of a role."""

    name: str
    """As in the catalog: `schema.table`, `schema.name(type, type)`."""
    mode: Mode
    role: str


_RELATIONS = ("table", "view", "materialized view", "foreign table")
_ROUTINES = ("function", "procedure")
_WITHOUT_EXPRESSIONS = (
    "database",
    "default privileges",
    "extension",
    "membership",
    "role",
    "schema",
    "setting",
)
_READABLE = ("sql", "plpgsql")
_OWN_TABLE = re.compile(
    r"format\(\s*'(?:[^']|'')*'(?:\s*,\s*(?:tg_table_schema|tg_table_name|tg_argv\[\d+\]))*\s*\)|'(?:[^']|'')*'"
)
"""An executed expression that is constant except for the table and the arguments of the trigger."""
_WRITING = {"update", "delete", "merge", "truncate", "lock", "copy"}


class Dependencies:
    """The objects of a database, and what the use of each of them depends on."""

    def __init__(self, catalog: Catalog, rows: Mapping[str, str]) -> None:
        """`rows` contains a digest of the rows of each relation that contains rows, by name."""
        facts = {
            key: {fact: value for fact, value in sorted(values.items()) if fact != "comment"}
            for key, values in sorted(catalog.facts.items())
        }
        self._rows = rows
        self._roles = {key.name: values for key, values in facts.items() if key.kind == "role"}
        self._functions = {key.name: values for key, values in facts.items() if key.kind in _ROUTINES}
        self._relations: dict[str, RelationFacts] = {}
        for key, values in facts.items():
            if key.kind in _RELATIONS:
                self._relations.setdefault(key.name, RelationFacts()).facts.update(values)
        shared: dict[Key, Mapping[str, str]] = {}
        for key, values in facts.items():
            relation = self._relations.get(relation_of(key, values))
            if relation is not None:
                (relation.policies if key.kind == "policy" else relation.parts)[key] = values
            elif key.kind not in (*_RELATIONS, *_ROUTINES):
                shared[key] = values
        for name, relation in self._relations.items():
            for parent in relation.parents:
                if parent in self._relations:
                    self._relations[parent].children.append(name)
        self._references = {name: dict(foreign_keys(item)) for name, item in self._relations.items()}
        self._referencing: dict[str, list[tuple[str, bool]]] = {}
        for name, references in self._references.items():
            for target, cascades in references.items():
                self._referencing.setdefault(target, []).append((name, cascades))
        self._catalog_names = {_plain(name): name for name in self._relations}
        names = [*self._relations, *self._functions]
        self._words_of_names = {
            True: [(name, _words(name.partition("(")[0])) for name in names],
            False: [(name, _words(name.partition("(")[0].rpartition(".")[2])) for name in names],
        }
        """By whether the name includes the schema."""
        self._digests: dict[frozenset[Use], str | None] = {}
        self._words = cache(_words)
        self._names = cache(self._names_of)
        self._next = cache(lambda use: tuple(self._uses(use)))
        self._content = cache(self._digest_of)
        self._shared = _digest(_listed(shared))
        self._known = not any(key.kind == "unmodelled" for key in shared)
        expressions = _text(values for key, values in shared.items() if key.kind not in _WITHOUT_EXPRESSIONS)
        self._always = [use for use in self._mentioned(expressions, "") if use.mode == "call"]

    def relation(self, name: str) -> str | None:
        """Return the quoted name of the relation `schema.name`, or None if there is none."""
        return self._catalog_names.get(name)

    def digest(self, uses: Iterable[Use]) -> str | None:
        """Return the digest of everything that these uses depend on.

        Return None if the database contains an object whose properties the catalog does not describe.
        """
        start = frozenset((*uses, *self._always))
        if start not in self._digests:
            self._digests[start] = self._digest_of_all(start) if self._known else None
        return self._digests[start]

    def bypasses(self, role: str) -> bool:
        """Return True if no policy applies to a role."""
        facts = self._roles.get(role, {})
        return "true" in (facts.get("superuser"), facts.get("bypass_rls"))

    def in_text(self, text: str, role: str) -> Iterator[Use]:
        """Yield the uses of objects in an expression or query that `role` executes."""
        yield from self._mentioned(text, role)

    def reads(self, role: str, functions: Iterable[str]) -> Iterator[Use]:
        """Yield the uses by queries of all relations and calls of these functions."""
        yield from (Use(name, "read", role) for name in self._relations)
        for function in functions:
            yield from self._mentioned(function.partition("(")[0], role)

    def _digest_of_all(self, start: Iterable[Use]) -> str:
        reached, pending = set[Use](), [*start]
        while pending:
            use = pending.pop()
            if use not in reached:
                reached.add(use)
                pending.extend(self._next(use))
        return _digest([self._shared, sorted({self._content(use) for use in reached})])

    def _uses(self, use: Use) -> Iterator[Use]:
        """Yield the direct uses of other objects."""
        if use.mode == "call":
            yield from self._used_by_function(self._functions[use.name], use.role)
            return
        relation, role = self._relations[use.name], use.role
        # A view reads as its owner or the caller, and calls functions as the caller.
        for reader in {role, relation.facts["owner"]} if "definition" in relation.facts else ():
            for mentioned in self._mentioned(relation.facts["definition"], reader):
                yield mentioned if mentioned.mode == "call" else mentioned._replace(mode=use.mode)
        if self._policed(use):
            yield from self._mentioned(_text(relation.policies.values()), role)
        for name in relation.children:
            yield use._replace(name=name)
        if use.mode != "read":
            for name in (use.name, *relation.parents):
                if name in self._relations:
                    yield from self._used_by_parts(name, role)
        if use.mode == "write":
            for name, cascades in self._referencing.get(use.name, ()):
                yield Use(name, "write" if cascades else "read", self._relations[name].facts["owner"])

    def _used_by_parts(self, name: str, role: str) -> Iterator[Use]:
        """Yield the uses by defaults, constraints, indexes, triggers and rules of a relation."""
        relation = self._relations[name]
        references = self._references[name]
        for target in references.keys() & self._relations.keys():
            yield Use(target, "read", self._relations[target].facts["owner"])
        for use in self._mentioned(_text(relation.parts.values()), role):
            if use.name not in references and use.name != name:
                yield use
            if use.mode == "call" and "execute" in self._words(self._functions[use.name]["definition"]):
                # A trigger function can address its table by tg_table_name.
                yield Use(name, "write", self._functions[use.name]["owner"])

    def _used_by_function(self, function: Mapping[str, str], caller: str) -> Iterator[Use]:
        definition = function["definition"]
        head, _, body = definition.partition("\nAS ")
        language = re.search(r"^ LANGUAGE (\S+)", head, re.MULTILINE)
        role = function["owner"] if function["security"] == "definer" else caller
        words = self._words(body or definition)
        if language is None or language[1] not in _READABLE or _dynamic(body) or 'u&"' in body.lower():
            yield from (Use(name, "write", role) for name in self._relations)
            yield from (Use(name, "call", role) for name in self._functions)
            return
        qualified = " SET search_path TO ''" in head and "search_path" not in words
        changes = not re.search(r"^ (?:STABLE|IMMUTABLE)", head, re.MULTILINE)
        for use in self._mentioned(definition, role, qualified=qualified):
            mode: Mode = _mode(use.name, body or definition) if changes and use.mode == "read" else use.mode
            yield use._replace(mode=mode)

    def _mentioned(self, text: str, role: str, *, qualified: bool = True) -> Iterator[Use]:
        """Yield the objects whose names a text contains; without their schemas unless `qualified`."""
        for name in self._names(self._words(text), qualified):
            yield Use(name, "call" if name in self._functions else "read", role)

    def _names_of(self, words: frozenset[str], qualified: bool) -> tuple[str, ...]:
        """Return the objects whose names contain only words of this set."""
        return tuple(name for name, of_name in self._words_of_names[qualified] if of_name <= words)

    def _policed(self, use: Use) -> bool:
        """Return True unless the role certainly bypasses the policies of the relation."""
        relation = self._relations[use.name]
        owns = relation.facts.get("owner") == use.role and relation.facts.get("force_row_security") != "true"
        return not owns and not self.bypasses(use.role)

    def _digest_of(self, use: Use) -> str:
        """Return the digest of the facts and rows that a use depends on directly."""
        if use.mode == "call":
            return _digest([use.name, self._functions[use.name]])
        relation = self._relations[use.name]
        content: list[object] = [use.name, relation.facts, _listed(relation.parts)]
        if self._policed(use):
            content.append(_listed(relation.policies))
        if use.mode != "insert" or not generates_keys(relation):
            content.append(self._rows.get(use.name))
        return _digest(content)


def _dynamic(body: str) -> bool:
    """Return True if a function body executes SQL that is not in its text, except the trigger's table."""
    quoted = re.fullmatch(r"(\$\w*\$)(.*)\1\s*", body, re.DOTALL)
    count = len(re.findall(r"\bexecute\b", body.lower()))
    if not count or quoted is None:
        return count > 0
    executed = [part.text for part in inner(Body(quoted[2], "plpgsql", None)) if part.kind == "execute"]
    return len(executed) < count or not all(_OWN_TABLE.fullmatch(text.lower()) for text in executed)


def _mode(name: str, body: str) -> Mode:
    """Return the mode in which the statements of a function body use a relation."""
    schema, _, relation = (re.escape(part) for part in name.replace('"', "").lower().partition("."))
    text = body.lower()
    uses = [
        re.findall(r"\w+", text[max(0, match.start() - 80) : match.start()])[-2:]
        for match in re.finditer(rf'"?{schema}"?\s*\.\s*"?{relation}"?(?!\w)', text)
    ]
    if not uses or "conflict" in text or any(_WRITING.intersection(words) for words in uses):
        return "write"
    return "insert" if all(words == ["insert", "into"] for words in uses) else "read"


def _plain(name: str) -> str:
    return re.sub(r'"((?:[^"]|"")*)"', lambda match: match[1].replace('""', '"'), name)


def _words(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"\w+", text.lower()))


def _text(objects: Iterable[Mapping[str, str]]) -> str:
    return "\n".join(value for facts in objects for value in facts.values())


def _listed(objects: Mapping[Key, Mapping[str, str]]) -> list[object]:
    return [[key.kind, key.name, facts] for key, facts in objects.items()]


def _digest(content: object) -> str:
    return hashlib.sha256(json.dumps(content, separators=(",", ":")).encode()).hexdigest()
