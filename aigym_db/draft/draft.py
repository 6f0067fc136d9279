"""Generate the next migration from the difference between templates and migrations."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from aigym_db.draft.items import LAST, Down, Item, Phase, down_text, up_text
from aigym_db.draft.match import Changes, compare
from aigym_db.draft.targets import Subject, bound_to, subject
from aigym_db.draft.texts import StatementText, concurrently, or_replace, passages
from aigym_db.draft.write import create, described, drop
from aigym_db.errors import CannotDraft
from aigym_db.model.catalog import Catalog, Difference, Key
from aigym_db.model.sql import Script
from aigym_db.project.state import ROLES

_SHOWN = 30


@dataclass(frozen=True, slots=True)
class Draft:
    """The contents of one drafted migration file: up, down and the options of its markers."""

    up: str
    down: str
    made_from: tuple[str, ...]
    role: str | None = None
    """`none` if the migration runs as the connecting role."""
    transaction: bool = True


def draft(
    scripts: Iterable[Script],
    state: Catalog,
    history: Catalog,
    *,
    owner: str | None = None,
    past: str = "",
    only: tuple[str, ...] = (),
) -> tuple[Draft, ...]:
    """Return the migrations that change `history` to `state`, using the statements of the templates.

    The result has more than one migration if statements run as another role (`_roles.sql.j2`) or are
    non-transactional (an index on an existing table). `past` is the SQL of all migrations: statements whose
    effect is known only at run time (DO, SELECT, INSERT) are included unless `past` contains them. `only`
    limits the draft to these templates or folders.

    Raise CannotDraft (AIG-P011) if no statement is available for a difference; its detail lists them.
    """
    statements = tuple(passages(scripts))
    changes = compare(statements, state, history, only)
    items = [
        item
        for part in (
            _statements(statements, changes, owner, _squeezed(past), only),
            _descriptions(changes),
            _removals(changes, owner),
        )
        for item in part
    ]
    items += _consequences(changes, items)
    if changes.open:
        raise CannotDraft(
            f"{len(changes.open)} differences between templates and migrations cannot be drafted.",
            detail=_format_list(changes.open),
            hint="Write the migration by hand: `aigym-db new NAME --empty`.",
        )
    if not items:
        raise CannotDraft(
            "The templates contain no change that the migrations lack.",
            hint="Change a template first, or write a migration by hand: `aigym-db new NAME --empty`.",
        )
    items.sort(key=lambda item: item.order)
    kinds = ((True, False), (False, False), (False, True))
    groups = [[item for item in items if (item.file == ROLES, item.alone) == kind] for kind in kinds]
    return tuple(_composed(group) for group in groups if group)


def _statements(
    statements: tuple[StatementText, ...],
    changes: Changes,
    owner: str | None,
    past: str,
    only: tuple[str, ...],
) -> Iterable[Item]:
    """Yield the template statements that create new or changed objects."""
    for passage in statements:
        if not passage.within(only):
            continue
        if not passage.targets:
            if _squeezed(passage.statement.text) not in past:
                changes.loose.append(passage.file)
                yield Item(passage.order, passage.file, (passage.text,), ())
            continue
        required = [target for target in passage.targets if changes.requires(target)]
        if not required:
            continue
        text, alone = passage.text, False
        ups: list[str] = []
        downs: list[Down] = []
        changes.created |= {target.subject for target in required if target.creates}
        for target in required:
            changes.claimed.add(target.subject)
            if not target.creates or changes.goes_with_its_table(target):
                continue
            old, new = changes.keys_of(target.subject)
            if target.subject in changes.replaced:
                text = or_replace(text)
                for key in old:
                    downs += _downs(Phase.CHANGED, create(changes.history, key, acting_as=owner)[:1])
                continue
            ups += [drop(key) for key in old]
            for key in new:
                if key.kind == "default privileges":
                    downs += _downs(
                        Phase.CHANGED, _lines(described(changes.state, changes.history, key, "acl"))
                    )
                elif old:
                    downs.append(Down(Phase.CHANGED, drop(key)))
                else:
                    downs.append(Down(_phase(key, bound_to(passage.statement), changes.state), drop(key)))
            for key in old:
                downs += _downs(Phase.CHANGED, create(changes.history, key, acting_as=owner))
            if target.subject.kind == "index" and not old and changes.on_plain_table(new):
                text, alone = concurrently(text), True
                downs = [
                    Down(down.phase, down.text.replace("index", "index concurrently", 1)) for down in downs
                ]
        yield Item(passage.order, passage.file, (*ups, text), tuple(downs), alone)


def _descriptions(changes: Changes) -> Iterable[Item]:
    """Yield changes of privileges, comments, owners and settings of existing objects."""
    for difference in list(changes.facts):
        if changes.of_others(difference):
            changes.facts.remove(difference)
            continue
        up = described(changes.history, changes.state, difference.key, difference.fact or "")
        down = described(changes.state, changes.history, difference.key, difference.fact or "")
        if up is None or down is None:
            continue
        changes.facts.remove(difference)
        if difference.key.kind == "database" and changes.loose:
            up = ""
        order, file = changes.home(difference)
        yield Item(order, file, tuple(_lines(up)), tuple(_downs(Phase.CHANGED, _lines(down))))


def _removals(changes: Changes, owner: str | None) -> Iterable[Item]:
    """Yield drops of objects that the migrations create and the templates no longer contain."""
    early = ("policy", "trigger", "rule", "view", "materialized view", "index", "statistics")
    for number, key in enumerate(sorted(changes.gone, key=lambda key: (key.kind not in early, key))):
        order = (-1 if key.kind in early else LAST, number)
        if key.kind == "default privileges":
            up = _lines(described(changes.history, changes.state, key, "acl"))
            down = _lines(described(changes.state, changes.history, key, "acl"))
        else:
            up, down = [drop(key)], create(changes.history, key, acting_as=owner)
        phase = Phase.RESTORED_LAST if key.kind in early else Phase.RESTORED
        yield Item(order, "", tuple(up), tuple(_downs(phase, down)))


def _consequences(changes: Changes, items: list[Item]) -> Iterable[Item]:
    """Yield the rollback of objects created by statements whose effect is known only at run time."""
    for key in changes.made_by_running():
        file = changes.runner(key)
        first = min((item.order for item in items if item.file == file), default=(0, 0))
        text = f"drop schema {key.name} cascade;" if key.kind == "schema" else drop(key)
        down = Down(_phase(key, frozenset(), changes.state), text)
        yield Item((first[0], -1), file, (), (down,))


def _composed(items: list[Item]) -> Draft:
    return Draft(
        up=up_text(items),
        down=down_text(items),
        made_from=tuple(dict.fromkeys(item.file for item in items if item.file)),
        role="none" if items[0].file == ROLES else None,
        transaction=not items[0].alone,
    )


def _phase(key: Key, bound: frozenset[Subject], state: Catalog) -> Phase:
    """Return the rollback phase that drops a new object."""
    if key.kind in ("function", "procedure", "aggregate"):
        kinds = {other.kind for other in state.facts if subject(other) in bound and other.kind != "column"}
        if kinds & {"view", "materialized view"}:
            return Phase.FUNCTIONS_OF_VIEWS
        return Phase.FUNCTIONS_OF_TABLES if kinds & {"table", "foreign table"} else Phase.FUNCTIONS
    return _PHASES.get(key.kind, Phase.CHANGED)


_PHASES = {
    "view": Phase.VIEWS,
    "materialized view": Phase.VIEWS,
    "table": Phase.TABLES,
    "foreign table": Phase.TABLES,
    "sequence": Phase.FUNCTIONS,
    "operator": Phase.FUNCTIONS,
    "type": Phase.TYPES,
    "domain": Phase.TYPES,
    "collation": Phase.TYPES,
    "schema": Phase.SCHEMAS,
    "extension": Phase.SCHEMAS,
}


def _lines(statement: str | None) -> list[str]:
    return statement.split("\n") if statement else []


def _downs(phase: Phase, texts: Iterable[str]) -> list[Down]:
    return [Down(phase, text) for text in texts]


def _squeezed(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


def _format_list(differences: list[Difference]) -> str:
    more = len(differences) - _SHOWN
    lines = [_describe(difference) for difference in differences[:_SHOWN]]
    return "\n".join([*lines, f"… and {more} more"] if more > 0 else lines)


def _describe(difference: Difference) -> str:
    key: Key = difference.key
    if difference.fact is None:
        return f"{key} is in the {'templates' if difference.left is None else 'migrations'} only"
    return (
        f"{key}: {difference.fact} is {difference.left!r} in the migrations, "
        f"{difference.right!r} in the templates"
    )
