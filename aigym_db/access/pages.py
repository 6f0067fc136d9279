"""What each finding of `test` means; `aigym-db explain` shows it."""

from __future__ import annotations

from inspect import cleandoc

PAGES = {
    "ACC01": (
        "access-differs-from-answers",
        cleandoc("""
            An actor reaches other rows than the answers sheet says.

            The message names the table, the actor, the command and the rows. A row too many is a leak or a
            takeover; a row too few is somebody who cannot do their work. `without WHERE` means that the
            statement had no condition, so that only policies held it back.

            What to do: correct the policy or the grant; change the answer only if people want it so.
        """),
    ),
    "ACC02": (
        "access-past-policies",
        cleandoc("""
            A role holds a privilege that no policy holds back.

            TRUNCATE, REFERENCES and TRIGGER ignore row-level security: whoever holds TRUNCATE can empty the
            table of every tenant.

            What to do: revoke it.
        """),
    ),
    "ACC03": (
        "access-to-partition",
        cleandoc("""
            A role can address a partition directly.

            A partition inherits neither the policies nor the grants of its parent, so a query of the
            partition itself goes past them.

            What to do: keep partitions in a schema the role may not use, and revoke what was granted.
        """),
    ),
    "ACC04": (
        "access-without-rows",
        cleandoc("""
            A table has no rows in the test fixture.

            Where there is nothing to see, seeing nothing proves nothing.

            What to do: add rows to `seeds/test`: some that each answer reaches, and some that it does not.
        """),
    ),
    "ACC05": (
        "access-mutant-survives",
        cleandoc("""
            A policy was broken on purpose, and no answer noticed.

            So somebody could break it by accident, and `test` would stay green.

            What to do: add a fixture row that tells the two apart, which is the usual way, or say in
            `policies/equivalents.toml` why no row can.
        """),
    ),
    "ACC06": (
        "access-differs-with-triggers",
        cleandoc("""
            With triggers and foreign keys at work, an actor reaches other rows than the policies alone allow.

            Either a trigger touches rows that are not the actor's, or it fails for want of a privilege, so
            that what the policies allow cannot be done. A constraint or trigger that refuses on purpose is
            no finding.

            What to do: let the trigger's function touch only the row at hand; where it needs more rights than
            the actor has, make it SECURITY DEFINER with an owner of its own and an empty search_path.
        """),
    ),
}
"""By code: the name, and the page."""
