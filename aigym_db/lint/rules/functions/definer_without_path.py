"""SECURITY DEFINER function without SET search_path.

The function runs with its owner's privileges but its caller's search_path. A caller can put a schema of their
own first and thereby determine which table or operator an unqualified name refers to.

Bad:
    create function iam.my_tenants() returns setof bigint
        language sql stable security definer
        as $$ select 1::bigint $$;
    revoke execute on function iam.my_tenants() from public;

Good:
    create function iam.my_tenants() returns setof bigint
        language sql stable security definer set search_path = ''
        as $$ select 1::bigint $$;
    revoke execute on function iam.my_tenants() from public;

Source: PostgreSQL documentation, CREATE FUNCTION, "Writing SECURITY DEFINER Functions Safely".
"""

from __future__ import annotations

from collections.abc import Iterator

from aigym_db.lint.chain import Chain
from aigym_db.lint.rule import RuleMatch, rule


@rule("FUNC01", "definer-without-path", since="0.1", on=Chain, level="error")
def check(chain: Chain) -> Iterator[RuleMatch]:
    for function in chain.every_function():
        if function.definer and function.path is None:
            yield RuleMatch(
                function.spot,
                f"{function.signature} runs with its owner's privileges, and its caller's "
                "search_path determines what its unqualified names refer to.",
                "Add SET search_path = '' and qualify every name with its schema.",
            )
