"""SECURITY DEFINER function that PUBLIC may execute.

PostgreSQL grants EXECUTE on new functions to PUBLIC. A SECURITY DEFINER function then gives its owner's
privileges to every role that can connect. ALTER DEFAULT PRIVILEGES … REVOKE prevents this only without IN
SCHEMA. Trigger functions cannot be called directly and are not checked.

Bad:
    create function iam.close_account(account bigint) returns void
        language sql security definer set search_path = ''
        as $$ select null $$;

Good:
    create function iam.close_account(account bigint) returns void
        language sql security definer set search_path = ''
        as $$ select null $$;
    revoke execute on function iam.close_account(bigint) from public;
    grant execute on function iam.close_account(bigint) to authenticated;

Good:
    alter default privileges revoke execute on functions from public;
    create function iam.close_account(account bigint) returns void
        language sql security definer set search_path = ''
        as $$ select null $$;

Source: PostgreSQL documentation, CREATE FUNCTION, "Writing SECURITY DEFINER Functions Safely"; ALTER
DEFAULT PRIVILEGES.
"""

from __future__ import annotations

from collections.abc import Iterator

from aigym_db.lint.chain import Chain
from aigym_db.lint.rule import RuleMatch, rule

_NOT_CALLABLE = {"trigger", "event_trigger"}


@rule("FUNC03", "definer-public-execute", since="0.1", on=Chain, level="error")
def check(chain: Chain) -> Iterator[RuleMatch]:
    for function in chain.every_function():
        if function.definer and function.public and function.returns not in _NOT_CALLABLE:
            yield RuleMatch(
                function.spot,
                f"PUBLIC may execute {function.signature}, which runs with its owner's privileges.",
                "Run REVOKE EXECUTE ON FUNCTION … FROM PUBLIC in the same transaction, and GRANT "
                "it to the roles that need it.",
            )
