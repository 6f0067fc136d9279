"""Objects written as SQL from what a catalog says of them: to bring back what a migration replaces or
drops."""

from __future__ import annotations

from aigym_db.draft.acl import changes, default_entry, first_rights, rights
from aigym_db.model.catalog import Catalog, Key
from aigym_db.syntax.quote import literal

_TABLES = ("table", "view", "materialized view", "foreign table")
_ON_TABLE = ("constraint", "trigger", "policy", "rule")


def drop(key: Key) -> str:
    """The statement that drops an object."""
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
    """The statements that make an object as it is in a catalog, with what hangs on it; empty when we
    cannot."""
    facts = catalog.facts[key]
    table, _, name = split(key.name)
    if key.kind in ("function", "procedure"):
        said = [_ended(facts["definition"])]
    elif key.kind in ("view", "materialized view"):
        said = _view(catalog, key)
    elif key.kind == "policy":
        said = [_policy(facts, table, name)]
    elif key.kind in ("trigger", "index", "rule", "statistics"):
        said = [_ended(facts["definition"])]
        if facts.get("enabled", "origin") != "origin":
            said.append(enabled(key, facts["enabled"]))
    else:
        return []
    owner = facts.get("owner")
    if owner and owner != acting_as:
        said.append(f"alter {key.kind} {key.name} owner to {owner};")
    if "owner" in facts:
        before = first_rights(catalog, key.kind, key.name.partition(".")[0], facts["owner"])
        said += changes(before, rights(facts.get("acl", "")), _granted_on(key))
    if "comment" in facts:
        said.append(comment(key, facts["comment"]))
    return said


def described(catalog: Catalog, other: Catalog, key: Key, fact: str) -> str | None:
    """The statement that gives an object the value a fact has in the other catalog; None when we cannot."""
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
        return enabled(key, value)
    return None


def enabled(key: Key, value: str) -> str:
    """The statement that sets when a trigger or rule fires."""
    table, _, name = split(key.name)
    word = {
        "origin": "enable",
        "disabled": "disable",
        "replica": "enable replica",
        "always": "enable always",
    }[value]
    return f"alter table {table} {word} {key.kind} {name};"


def comment(key: Key, text: str | None) -> str:
    """The statement that sets a comment, or takes it away."""
    table, _, name = split(key.name)
    on = (
        f"{name} on {table}" if key.kind in _ON_TABLE else f"({key.name})" if key.kind == "cast" else key.name
    )
    return f"comment on {key.kind} {on} is {literal(text)};"


def split(name: str) -> tuple[str, str, str]:
    """`"a.b".c.d` as the part before the last dot outside quotes, the dot, and the last part."""
    quoted, at = False, -1
    for index, letter in enumerate(name):
        if letter == '"':
            quoted = not quoted
        elif letter == "." and not quoted:
            at = index
    return (name[:at], ".", name[at + 1 :]) if at >= 0 else ("", "", name)


def _rights_changes(key: Key, facts: dict[str, str] | object, wanted: dict[str, str] | object) -> list[str]:
    before, after = _acl(key, facts), _acl(key, wanted)
    if key.kind == "default privileges":
        who, _, objects = key.name.rpartition(" on ")
        role, _, schema = who.partition(" in ")
        prefix = f"alter default privileges for role {role}{f' in schema {schema}' if schema else ''} "
        return changes(before, after, objects, prefix=prefix)
    if key.kind == "column":
        table, _, name = split(key.name)
        return changes(before, after, table, column=name)
    if key.kind == "database":
        return [_on_this_database(line) for line in changes(before, after, "database %I")]
    return changes(before, after, _granted_on(key))


def _acl(key: Key, facts: object) -> dict[str, dict[str, bool]]:
    said = facts if isinstance(facts, dict) else {}
    if key.kind == "default privileges" and "acl" not in said:
        return default_entry(key.name)
    return rights(said.get("acl", ""))


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
    said = [_ended(f"create {key.kind} {key.name}{options} as\n{facts['definition']}")]
    for other, its in sorted(catalog.facts.items()):
        if other.kind == "column" and split(other.name)[0] == key.name:
            if "default" in its:
                said.append(
                    f"alter view {key.name} alter column {split(other.name)[2]} set default {its['default']};"
                )
            if "acl" in its:
                said += _rights_changes(other, {}, dict(its))
            if "comment" in its:
                said.append(comment(other, its["comment"]))
        elif (other.kind in ("trigger", "rule") and split(other.name)[0] == key.name) or (
            other.kind == "index" and its["on_table"] == key.name
        ):
            said += create(catalog, other, acting_as=None)
    return said


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
