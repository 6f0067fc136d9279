"""Generate SQL for catalog objects: a down migration recreates what its up replaces or drops."""

from __future__ import annotations

from collections.abc import Iterable

from aigym_db.draft.acl import column_grants, default_entry, first_rights, grants, rights
from aigym_db.model.catalog import Catalog, Key
from aigym_db.syntax.quote import literal

_TABLES = ("table", "view", "materialized view", "foreign table")
_ON_TABLE = ("constraint", "trigger", "policy", "rule")


def drop(key: Key) -> str:
    """Return the DROP of an object, or the ALTER TABLE that drops a constraint or column."""
    table, _, name = split(key.name)
    if key.kind == "constraint":
        return f"alter table {table} drop constraint {name};"
    if key.kind in _ON_TABLE:
        return f"drop {key.kind} {name} on {table};"
    if key.kind == "cast":
        return f"drop cast ({key.name});"
    if key.kind == "column":
        return f"alter table {table} drop column {name};"
    return f"drop {key.kind} {key.name};"


def create(catalog: Catalog, key: Key, *, acting_as: str | None) -> list[str]:
    """Return the statements that create an object as in the catalog, with its owner, privileges and comment.

    Return an empty list if the kind of object is not supported. `acting_as` is the role that executes them;
    if it is not the owner, ALTER … OWNER is added.
    """
    facts = catalog.facts[key]
    table, _, name = split(key.name)
    if key.kind in ("function", "procedure"):
        statements = [_ended(facts["definition"])]
    elif key.kind in ("view", "materialized view"):
        statements = _view(catalog, key)
    elif key.kind == "policy":
        statements = [_policy(facts, table, name)]
    elif key.kind in ("trigger", "index", "rule", "statistics"):
        statements = [_ended(facts["definition"])]
        if facts.get("enabled", "origin") != "origin":
            statements.append(enable(key, facts["enabled"]))
    else:
        return []
    owner = facts.get("owner")
    if owner and owner != acting_as:
        statements.append(f"alter {key.kind} {key.name} owner to {owner};")
    if "owner" in facts:
        before = first_rights(catalog, key.kind, key.name.partition(".")[0], facts["owner"])
        statements += grants(before, rights(facts.get("acl", "")), _granted_on(key))
    if "comment" in facts:
        statements.append(comment(key, facts["comment"]))
    return statements


def change_fact(catalog: Catalog, other: Catalog, key: Key, fact: str) -> str | None:
    """Return the SQL that changes a fact of an object in `catalog` to its value in `other`.

    Return None if the fact is not supported, and several lines if it needs several statements.
    """
    facts, wanted = catalog.facts.get(key, {}), other.facts.get(key, {})
    value = wanted.get(fact)
    if fact == "comment":
        return comment(key, value)
    if fact == "acl":
        return "\n".join(_rights_changes(key, facts, wanted))
    if fact == "owner" and value:
        return f"alter {key.kind} {key.name} owner to {value};"
    if fact == "row_security":
        return f"alter table {key.name} {'enable' if value == 'true' else 'disable'} row level security;"
    if fact == "force_row_security":
        return f"alter table {key.name} {'' if value == 'true' else 'no '}force row level security;"
    if fact == "enabled" and key.kind == "trigger" and value:
        return enable(key, value)
    return None


def change_column_rights(catalog: Catalog, other: Catalog, keys: Iterable[Key]) -> list[str]:
    """Return the SQL that changes the privileges on columns of one table in `catalog` to those in `other`."""
    names = {split(key.name)[2]: key for key in keys}
    table = split(next(iter(names.values())).name)[0]
    before = {name: rights(catalog.facts.get(key, {}).get("acl", "")) for name, key in names.items()}
    after = {name: rights(other.facts.get(key, {}).get("acl", "")) for name, key in names.items()}
    return column_grants(before, after, table)


def enable(key: Key, value: str) -> str:
    """Return ALTER TABLE … ENABLE or DISABLE for a trigger or rule; `value` is the fact `enabled`."""
    table, _, name = split(key.name)
    word = {
        "origin": "enable",
        "disabled": "disable",
        "replica": "enable replica",
        "always": "enable always",
    }[value]
    return f"alter table {table} {word} {key.kind} {name};"


def comment(key: Key, text: str | None) -> str:
    """Return COMMENT ON for an object; the text None removes the comment."""
    table, _, name = split(key.name)
    on = (
        f"{name} on {table}" if key.kind in _ON_TABLE else f"({key.name})" if key.kind == "cast" else key.name
    )
    return f"comment on {key.kind} {on} is {literal(text)};"


def split(name: str) -> tuple[str, str, str]:
    """Split a name at the last dot outside quotes: `"a.b".c.d` is `"a.b".c`, the dot, and `d`."""
    quoted, last_dot = False, -1
    for index, letter in enumerate(name):
        if letter == '"':
            quoted = not quoted
        elif letter == "." and not quoted:
            last_dot = index
    return (name[:last_dot], ".", name[last_dot + 1 :]) if last_dot >= 0 else ("", "", name)


def _rights_changes(key: Key, facts: dict[str, str] | object, wanted: dict[str, str] | object) -> list[str]:
    before, after = _acl(key, facts), _acl(key, wanted)
    if key.kind == "default privileges":
        owner, _, objects = key.name.rpartition(" on ")
        role, _, schema = owner.partition(" in ")
        prefix = f"alter default privileges for role {role}{f' in schema {schema}' if schema else ''} "
        return grants(before, after, objects, prefix=prefix)
    if key.kind == "column":
        table, _, name = split(key.name)
        return column_grants({name: before}, {name: after}, table)
    if key.kind == "database":
        return [_on_this_database(line) for line in grants(before, after, "database %I")]
    return grants(before, after, _granted_on(key))


def _acl(key: Key, facts: object) -> dict[str, dict[str, bool]]:
    values = facts if isinstance(facts, dict) else {}
    if key.kind == "default privileges" and "acl" not in values:
        return default_entry(key.name)
    return rights(values.get("acl", ""))


def _on_this_database(line: str) -> str:
    text = literal(line.removesuffix(";"))
    return f"do $$ begin execute format({text}, current_database()); end $$;"


def _granted_on(key: Key) -> str:
    if key.kind in _TABLES:
        return key.name
    return f"{ {'domain': 'type', 'aggregate': 'function'}.get(key.kind, key.kind) } {key.name}"


def _view(catalog: Catalog, key: Key) -> list[str]:
    facts = catalog.facts[key]
    options = f"\nwith ({facts['options']})" if "options" in facts else ""
    statements = [_ended(f"create {key.kind} {key.name}{options} as\n{facts['definition']}")]
    for other, facts_of in sorted(catalog.facts.items()):
        if other.kind == "column" and split(other.name)[0] == key.name:
            if "default" in facts_of:
                statements.append(
                    f"alter view {key.name} alter column {split(other.name)[2]} "
                    f"set default {facts_of['default']};"
                )
            if "acl" in facts_of:
                statements += _rights_changes(other, {}, dict(facts_of))
            if "comment" in facts_of:
                statements.append(comment(other, facts_of["comment"]))
        elif (other.kind in ("trigger", "rule") and split(other.name)[0] == key.name) or (
            other.kind == "index" and facts_of["on_table"] == key.name
        ):
            statements += create(catalog, other, acting_as=None)
    return statements


def _policy(facts: object, table: str, name: str) -> str:
    assert isinstance(facts, dict)
    lines = [f"create policy {name} on {table}"]
    if facts["mode"] == "restrictive":
        lines.append("  as restrictive")
    lines.append(f"  for {facts['command']} to {facts['roles']}")
    if "using" in facts:
        lines.append(f"  using ({facts['using']})")
    if "with_check" in facts:
        lines.append(f"  with check ({facts['with_check']})")
    return "\n".join(lines) + ";"


def _ended(text: str) -> str:
    return text.rstrip().rstrip(";") + ";"
