"""The page of each `test` finding, shown by `aigym-db explain`."""

from __future__ import annotations

from inspect import cleandoc

PAGES = {
    "ACC01": (
        "access-differs-from-matrix",
        cleandoc("""
            The rows that an actor can reach differ from the access matrix.

            The message contains the table, the actor, the command, the expected row classes and the primary
            keys of up to three witness rows: rows of the test fixture that the actor can reach but should
            not, or should reach but cannot. An additional row is unauthorized access; a missing row is access
            that the matrix grants and the database denies. `without WHERE` means that the SELECT policies did
            not apply.

            What to do: correct the policy or the grant; change the cell if the actual access is intended.
        """),
    ),
    "ACC02": (
        "access-bypasses-policies",
        cleandoc("""
            A role has a privilege to which row-level security does not apply.

            TRUNCATE, REFERENCES and TRIGGER bypass row-level security: a role with TRUNCATE can empty the
            table of every tenant.

            What to do: revoke the privilege.
        """),
    ),
    "ACC03": (
        "access-to-partition",
        cleandoc("""
            A role can access a partition directly.

            A partition inherits neither the policies nor the grants of its parent; a query on the partition
            bypasses them.

            What to do: keep partitions in a schema without USAGE for the role, and revoke its privileges.
        """),
    ),
    "ACC04": (
        "access-without-rows",
        cleandoc("""
            A table has no rows in the test fixture.

            Without rows the cells of the table match whatever the policies allow.

            What to do: add rows to `seeds/test`: some that each cell includes, and some that it excludes.
        """),
    ),
    "ACC05": (
        "access-mutant-survives",
        cleandoc("""
            A mutation operator changed a policy or a function, and every cell still matched.

            The same change made by mistake would not be detected by `test`.

            What to do: add a fixture row that distinguishes the mutant, or for a function a call that does,
            or state in `policies/equivalents.toml` why nothing can.
        """),
    ),
    "ACC06": (
        "access-differs-with-triggers",
        cleandoc("""
            With triggers and foreign keys enabled, an actor reaches other rows than the policies alone allow.

            Either a trigger changes rows that the actor may not change, or it fails because of a missing
            privilege. An error that a constraint or a trigger raises deliberately is not reported. A cell
            that already differs without triggers is reported once, as ACC01.

            What to do: restrict the rows that the trigger function changes; if it needs more privileges than
            the actor has, make it SECURITY DEFINER with its own owner and an empty search_path.
        """),
    ),
    "ACC07": (
        "access-call-differs",
        cleandoc("""
            A function returns or changes something else for an actor than the access matrix states.

            A SECURITY DEFINER function acts with the privileges of its owner, and no policy applies, so its
            own checks are what protects the tables. The message contains the call with its arguments, the
            actors whose results are the same (the arguments are those of the first), the expected result, and
            the actual one: the SQLSTATE and message of an error, or what was returned and the number of rows
            inserted (+), updated (~) and deleted (-) in each table. `gains` lists what the actor reaches only
            after the call: rows of others, memberships, permissions.

            What to do: correct the function, or revoke EXECUTE; change the cell if the result is intended.
        """),
    ),
    "ACC08": (
        "access-escalates",
        cleandoc("""
            After a write that the access matrix permits, an actor reaches more than before.

            The message contains the table, the actor and the command, what the actor gains (rows that existed
            before, values of functions, its own rows in tables that functions of policies read), and the
            statement: the witness. A membership table whose INSERT policy compares only the user lets every
            user join every tenant.

            What to do: revoke the privilege and let a function write the row, or restrict the policy. List
            under `gains` of the table what the actor may gain.
        """),
    ),
    "ACC09": (
        "access-names-another",
        cleandoc("""
            An actor can write a row in the name of another person.

            The column references people, is not the owner of the row, and a function reads the table: an
            invitation with another person as inviter is accepted as if that person had written it.

            What to do: do not grant the column; set it by a default, a trigger or a function.
        """),
    ),
}
"""By code: the name, and the page."""
