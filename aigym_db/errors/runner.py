"""Errors of runs beside or before this one, and of interrupted runs: AIG-L001, AIG-H001, AIG-I001."""

from __future__ import annotations

from aigym_db.errors.base import ResumableError, RunnerError, StoppedError


class RunnerLocked(RunnerError):
    """Another aigym-db run is migrating this database.

    The detail names its session. Wait for it to end, or specify a longer `--lock-wait`. If its process has
    ended, the server releases the lock within seconds.
    """

    code = "AIG-L001"
    name = "runner-locked"


class PartiallyApplied(ResumableError):
    """A non-transactional migration was interrupted within or between its statements.

    The statements before that point are committed. Correct the cause: in the data, on the server, or in a
    statement of the file that has not been executed. Then run the command again; it resumes at the
    interrupted statement.

    A frozen file may be corrected only while no database has applied all of it: delete its line from
    `migrations/LOCK`, correct the statement, run `aigym-db freeze`, and commit both with the reason.

    Until the migration is complete, a run in the other direction is rejected, and so is a rollback that does
    not include it.
    """

    code = "AIG-H001"
    name = "partially-applied"


class Interrupted(StoppedError):
    """The run was stopped by a signal; the running statement was cancelled and rolled back.

    Migrations that were committed before are recorded in the ledger. Run the command again to continue.
    """

    code = "AIG-I001"
    name = "interrupted"
