"""SECURITY DEFINER function whose search_path others can write to.

`public` and "$user" are schemas in which a caller may create things; pg_temp always is, and is searched
first when it is not listed. A list in one pair of quotes ('a, b') is one schema with a comma in its name.

Bad:
    create function iam.my_tenants() returns setof bigint
        language sql stable security definer set search_path = public, pg_temp
        as $$ select 1::bigint $$;
    revoke execute on function iam.my_tenants() from public;

Bad:
    create function iam.my_tenants() returns setof bigint
        language sql stable security definer set search_path = iam
        as $$ select 1::bigint $$;
    revoke execute on function iam.my_tenants() from public;

Good:
    create function iam.my_tenants() returns setof bigint
        language sql stable security definer set search_path = iam, pg_temp
        as $$ select 1::bigint $$;
    revoke execute on function iam.my_tenants() from public;

Source: PostgreSQL documentation, CREATE FUNCTION, "Writing SECURITY DEFINER Functions Safely".
"""

from __future__ import annotations

from collections.abc import Iterator

from aigym_db.lint.chain import Chain
from aigym_db.lint.rule import RuleMatch, rule

_WRITABLE = {"public", "$user"}


@rule("FUNC02", "definer-bad-path", since="0.1", on=Chain, level="error")
def check(chain: Chain) -> Iterator[RuleMatch]:
    for function in chain.every_function():
        why = _flaw(function.path) if function.definer and function.path is not None else ""
        if why:
            yield RuleMatch(
                function.spot,
                f"{function.signature} runs with its owner's rights, and {why}.",
                "Use SET search_path = '' with every name qualified, or only schemas that callers cannot "
                "write to, then pg_temp.",
            )


def _flaw(path: tuple[str, ...]) -> str:
    named = [schema for schema in path if schema]
    if any("," in schema for schema in named):
        return "its search_path is one name with a comma in it, not a list"
    writable = [schema for schema in named if schema in _WRITABLE]
    if writable:
        return f"callers may be able to create things in {', '.join(writable)}, which it searches"
    if "pg_temp" in named[:-1]:
        return "it looks into the caller's temporary tables before other schemas"
    if set(named) - {"pg_catalog", "pg_temp"} and "pg_temp" not in named:
        return "it looks into the caller's temporary tables first, for pg_temp is not last in its path"
    return ""
