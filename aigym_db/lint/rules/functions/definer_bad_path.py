"""SECURITY DEFINER function with a search_path that includes schemas writable by others.

Callers may be able to create objects in `public` and "$user". They can always create temporary objects, and
pg_temp is searched first unless it is listed. A list inside one pair of quotes ('a, b') is a single schema
name that contains a comma.

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
                f"{function.signature} runs with its owner's privileges, and {why}.",
                "Use SET search_path = '' and qualify every name, or list only schemas that "
                "callers cannot write to, followed by pg_temp.",
            )


def _flaw(path: tuple[str, ...]) -> str:
    named = [schema for schema in path if schema]
    if any("," in schema for schema in named):
        return "its search_path is a single name that contains a comma, not a list"
    writable = [schema for schema in named if schema in _WRITABLE]
    if writable:
        return (
            f"callers may be able to create objects in {', '.join(writable)}, which its search_path includes"
        )
    if "pg_temp" in named[:-1]:
        return "its search_path lists the caller's temporary schema before other schemas"
    if set(named) - {"pg_catalog", "pg_temp"} and "pg_temp" not in named:
        return (
            "it searches the caller's temporary schema first because pg_temp is not the last "
            "entry of its search_path"
        )
    return ""
