"""The card at the head of a table's file."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from aigym_db.errors import BadCard
from aigym_db.model.card import AuditMode, Card, MfaLevel, Partitioning, PersonalColumn, Tenancy
from aigym_db.model.source import Source
from aigym_db.model.wording import similar
from aigym_db.project.config import Project
from aigym_db.project.domains import domains
from aigym_db.project.templates import Template, templates

TENANCIES: tuple[Tenancy, ...] = ("global", "tenant", "owner", "owner_tenant", "child", "system")
MFA_LEVELS: tuple[MfaLevel, ...] = ("none", "enrolled", "always")
AUDIT_MODES: tuple[AuditMode, ...] = ("none", "meta", "diff", "full")
CLASSES = ("personal", "special", "secret")
ERASURES = ("delete", "anonymise", "pseudonymise", "retain")
BASES = ("consent", "contract", "legal_obligation", "vital_interests", "public_task", "legitimate_interests")
"""The grounds on which personal data may be held. Source: GDPR, article 6 (1) (a) to (f)."""
INTERVALS = ("day", "month")
REQUIRED = (
    *("tenancy", "owner", "tenant", "parent", "mfa"),
    *("personal", "basis", "retention", "audit", "rows"),
)
KEYS = (*REQUIRED, "partition", "counters")
_NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}")
_HEAD = re.compile(r"--[ \t]*([a-z_]\w*)\.([a-z_]\w*):[ \t]*(\S.*?)[ \t]*")
_LINE = re.compile(r"--[ \t]*([^\s:]+)[ \t]*:[ \t]*(.*?)[ \t]*")


@dataclass(frozen=True, slots=True)
class Value:
    """The value of a key, and its position."""

    source: Source
    start: int
    text: str

    def reject(self, message: str, hint: str, part: str | None = None) -> NoReturn:
        """Raise BadCard (AIG-P003) at the value, or at the part of it."""
        offset = max(self.text.find(part), 0) if part else 0
        raise BadCard(message, place=self.source.place(self.start + offset), hint=hint)

    def one_of(self, key: str, choices: Iterable[Any], part: str | None = None) -> Any:
        """Return the value (or a part of it); raise BadCard (AIG-P003) if it is not one of the choices."""
        text, choices = self.text if part is None else part, tuple(choices)
        if text not in choices:
            near = similar(text, choices)
            self.reject(
                f"`{key}` cannot be `{text}`." if text else f"`{key}` has no value.",
                f"Write `{near[0]}`." if near else f"Use one of: {', '.join(choices)}.",
                part,
            )
        return text

    def name(self, key: str, part: str | None = None) -> str:
        """Return the value (or a part of it); raise BadCard (AIG-P003) if it is not the name of a column."""
        text = self.text if part is None else part
        if not _NAME.fullmatch(text):
            self.reject(f"`{text}` cannot be the {key}.", "Write a column's name, or `-` for none.", part)
        return text


def cards(project: Project) -> Mapping[str, Card]:
    """Return the card of each table by the name of the table (`iam.tenants`), sorted by name.

    Tables of an external domain have none. Raise BadCard (AIG-P003) for an unknown or missing key or a wrong
    value.
    """
    external = {domain.name for domain in domains(project) if domain.external}
    return cards_of(template for template in templates(project) if template.domain not in external)


def cards_of(templates: Iterable[Template]) -> Mapping[str, Card]:
    """Return the cards of the tables among these templates, by the name of the table."""
    tables = (card(template.source) for template in templates if template.kind == "table")
    return {table.name: table for table in sorted(tables, key=lambda table: table.name)}


def card(source: Source) -> Card:
    """Return the card at the top of a table's file; raise BadCard (AIG-P003) if it is incomplete or wrong."""
    schema, table = source.file.removesuffix(".sql.j2").split("/")[-2:]
    head, _, _ = source.text.partition("\n")
    first = _HEAD.fullmatch(head)
    if first is None or (first[1], first[2]) != (schema, table):
        raise BadCard(
            f"{source.file} does not start with the card of {schema}.{table}.",
            place=source.place(0),
            hint=f"Begin the file with `-- {schema}.{table}: what a row of it is.`",
        )
    values = _values(source, len(head) + 1)
    partition, counters = values.get("partition"), values.get("counters")
    made = Card(
        schema=schema,
        table=table,
        purpose=first[3],
        tenancy=values["tenancy"].one_of("tenancy", TENANCIES),
        mfa=values["mfa"].one_of("mfa", MFA_LEVELS),
        audit=values["audit"].one_of("audit", AUDIT_MODES),
        retention=_retention(values["retention"]),
        expected_rows=_whole_number(values["rows"], "rows", values["rows"].text),
        owner_column=_optional(values["owner"], lambda value: value.name("owner column")),
        tenant_column=_optional(values["tenant"], lambda value: value.name("tenant column")),
        parent=_optional(values["parent"], _parent),
        personal=_optional(values["personal"], _personal) or {},
        partitioning=_partitioning(partition) if partition else None,
        legal_basis=_optional(values["basis"], lambda value: str(value.one_of("basis", BASES))),
        counters=_counters(counters) if counters else (),
    )
    _check_consistent(made, values)
    return made


def _values(source: Source, start: int) -> dict[str, Value]:
    """Return the value of each key. The card ends at the first line that is not a comment."""
    values: dict[str, Value] = {}
    for line in source.text[start:].split("\n"):
        if not line.startswith("--"):
            break
        match = _LINE.fullmatch(line)
        if match is None:
            raise BadCard(
                f"The card of {source.file} has a line that is not `-- key: value`.",
                place=source.place(start),
                hint=_hint_for_line(line),
            )
        key = match[1]
        if key not in KEYS or key in values:
            near = similar(key, KEYS)
            raise BadCard(
                f"The card has the key `{key}` twice." if key in values else f"A card has no key `{key}`.",
                place=source.place(start + match.start(1)),
                hint="Remove one of the two lines."
                if key in values
                else (f"Write `{near[0]}`." if near else f"Use one of: {', '.join(KEYS)}."),
            )
        values[key] = Value(source, start + match.start(2), match[2])
        start += len(line) + 1
    for key in REQUIRED:
        if key not in values:
            raise BadCard(
                f"The card of {source.file} has no key `{key}`.",
                place=source.place(max(start - 1, 0)),
                hint=f"Add a line `-- {key}: …` to it.",
            )
    return values


def _hint_for_line(line: str) -> str:
    """Return the hint about a line that is not `-- key: value`: its colon is missing, or it is a comment."""
    key, _, value = line.removeprefix("--").strip().partition(" ")
    if key in KEYS:
        return f"Write `-- {key}: {value.strip() or '…'}`."
    return "Put an empty line between the card and other comments."


def _optional(value: Value, read: Callable[[Value], Any]) -> Any:
    return None if value.text == "-" else read(value)


def _whole_number(value: Value, key: str, part: str, least: int = 0) -> int:
    if not re.fullmatch(r"[0-9]+", part) or int(part) < least:
        value.reject(
            f"`{key}` must be a whole number{f' from {least} on' if least else ''}, not `{part}`.",
            "Write digits only.",
            part,
        )
    return int(part)


def _retention(value: Value) -> str:
    if value.text not in ("life", "parent") and not re.fullmatch(r"[1-9][0-9]*", value.text):
        value.reject(
            f"`retention` cannot be `{value.text}`.",
            "Write a number of days, `life` (as long as its owner or tenant), or `parent`.",
        )
    return value.text


def _parent(value: Value) -> str:
    schema, dot, table = value.text.partition(".")
    if not (dot and _NAME.fullmatch(schema) and _NAME.fullmatch(table)):
        value.reject(
            f"`{value.text}` cannot be the parent.", "Write a table with its schema, or `-` for none."
        )
    return value.text


def _personal(value: Value) -> dict[str, PersonalColumn]:
    columns: dict[str, PersonalColumn] = {}
    start = value.start
    for text in value.text.split(","):
        item = Value(value.source, start + len(text) - len(text.lstrip()), text.strip())
        start += len(text) + 1
        words = item.text.split()
        if len(words) != 3:
            item.reject(
                f"`{item.text}` is not a personal column.",
                "Write `column class erasure`, with commas between the columns, or `-` for none.",
            )
        column = item.name("personal column", words[0])
        if column in columns:
            item.reject(f"The personal column `{column}` is listed twice.", "Remove one of the two.")
        rest = Value(item.source, item.start + len(column), item.text[len(column) :])
        columns[column] = PersonalColumn(
            rest.one_of("class of a personal column", CLASSES, words[1]),
            rest.one_of("erasure of a personal column", ERASURES, words[2]),
        )
    return columns


def _counters(value: Value) -> tuple[str, ...]:
    return tuple(value.name("counter", column.strip()) for column in value.text.split(","))


def _partitioning(value: Value) -> Partitioning:
    words = value.text.split()
    method = value.one_of("partition", ("range", "hash"), words[0] if words else "")
    if method == "hash" and len(words) == 3:
        return Partitioning(
            "hash",
            value.name("partition column", words[1]),
            modulus=_whole_number(value, "modulus", words[2], 2),
        )
    if method == "range" and len(words) == 5 and words[3] == "keep":
        return Partitioning(
            "range",
            value.name("partition column", words[1]),
            interval=value.one_of("interval", INTERVALS, words[2]),
            keep=_whole_number(value, "keep", words[4], 1),
        )
    forms = {"range": "range <column> <day|month> keep <intervals>", "hash": "hash <column> <modulus>"}
    return value.reject(f"`{value.text}` is not a partitioning.", f"Write `{forms[method]}`.")


def _check_consistent(card: Card, values: Mapping[str, Value]) -> None:
    """Raise BadCard (AIG-P003) if the values of two keys contradict each other."""
    if card.counters and card.audit == "none":
        values["counters"].reject(
            f"{card.name} is not audited, so its audit ignores no counters.",
            "Remove the line, or correct `audit`.",
        )
    if card.tenancy in ("owner", "owner_tenant") and card.owner_column is None:
        values["owner"].reject(
            f"{card.name} has tenancy {card.tenancy}, but no owner column.",
            "Name the column that contains the user a row belongs to, or correct `tenancy`.",
        )
    if card.tenancy in ("tenant", "owner_tenant") and card.tenant_column is None:
        values["tenant"].reject(
            f"{card.name} has tenancy {card.tenancy}, but no tenant column.",
            "Name the column that contains the tenant a row belongs to, or correct `tenancy`.",
        )
    if card.tenancy == "child" and card.parent is None:
        values["parent"].reject(
            f"{card.name} has tenancy child, but no parent.",
            "Name the table whose rows decide who can read these, or correct `tenancy`.",
        )
    if card.parent == card.name:
        values["parent"].reject(f"{card.name} cannot be its own parent.", "Name another table.")
    if card.retention == "parent" and not (card.parent or card.owner_column or card.tenant_column):
        values["retention"].reject(
            f"{card.name} is kept as long as the row it belongs to, but belongs to none.",
            "Write a number of days or `life`, or name the parent, owner or tenant.",
        )
    of_people = any(column.data_class != "secret" for column in card.personal.values())
    if of_people and card.legal_basis is None:
        values["basis"].reject(
            f"{card.name} holds personal data, but its card names no legal basis.",
            f"Use one of: {', '.join(BASES)}.",
        )
