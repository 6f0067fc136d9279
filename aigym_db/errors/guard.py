"""Errors of guards, AIG-G001 to AIG-G009: the command could be executed, and a rule of safety rejects it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aigym_db.errors.base import GuardError

if TYPE_CHECKING:
    from aigym_db.model.migration import Plan
    from aigym_db.model.source import Place


class UnfrozenMigration(GuardError):
    """A draft would be applied to a database other than the project's local one. Nothing was executed.

    A draft is a migration that is missing from `migrations/LOCK` and may still change. Drafts are applied to
    the local server only. Run `aigym-db freeze` and commit the lock file.
    """

    code = "AIG-G001"
    name = "unfrozen-migration"


class ProductionGuard(GuardError):
    """The command is not allowed on a production database. Nothing was executed.

    The database is marked with `alter database … set aigym.environment = 'production'`. Only the seed set
    `reference` may be loaded into it. Check `--database`, `DATABASE_URL` and the `PG*` variables.
    """

    code = "AIG-G002"
    name = "production-guard"


class DataLoss(GuardError):
    """A rollback would destroy data, and was not confirmed. Nothing was rolled back.

    The detail lists the affected objects with the number of rows: tables, columns and sequences that are
    dropped, also by CASCADE; rows that are deleted, emptied or overwritten; values that a type change does
    not preserve; and functions and blocks whose effects cannot be determined before they run. Make a backup,
    then run the command with `--yes`, or confirm on a terminal. The plan you confirm is the plan that runs.
    """

    code = "AIG-G003"
    name = "data-loss"

    def __init__(
        self,
        message: str,
        *,
        place: Place | None = None,
        detail: str = "",
        hint: str = "",
        plan: Plan | None = None,
    ) -> None:
        super().__init__(message, place=place, detail=detail, hint=hint)
        self.plan = plan
        """The plan to confirm."""


class Irreversible(GuardError):
    """A migration in the range cannot be rolled back. Nothing was rolled back.

    Its file contains `-- migrate:down irreversible: <reason>`. Choose this version or a later one with
    `--to`, or write a new migration that corrects the schema.
    """

    code = "AIG-G004"
    name = "irreversible"


class ServerUnfit(GuardError):
    """The server does not provide what the project requires, or cannot be started on this machine.

    The detail contains the reason: the server is not running, has an unsupported version, belongs to another
    operating system user, or its programs cannot be executed. Sessions in which triggers do not fire
    (`session_replication_role`) are rejected as well. `aigym-db doctor` checks each of these.
    """

    code = "AIG-G005"
    name = "server-unfit"


class BehindPooler(GuardError):
    """The connection goes through a connection pooler; aigym-db requires a dedicated server session.

    Through a pooler in transaction mode, locks, roles and settings would affect the sessions of other
    clients. A pooler in session mode is rejected as well, because a client cannot distinguish the two.
    Connect to PostgreSQL directly, on its own port.
    """

    code = "AIG-G006"
    name = "behind-pooler"


class SessionStateChanged(GuardError):
    """A migration was applied and changed the state of the session, which could affect the next migration.

    Session state is a role, search_path or another setting that changes the meaning of SQL, a temporary
    table, a prepared statement, a cursor, LISTEN, or an advisory lock that outlives the transaction of the
    file. The session was reset and the run stopped. Correct the file if it is still a draft; then run the
    command again to continue with the next migration.

    Custom settings (`set_config('app.tenant', …)`), and settings changed by a trigger without effect on the
    next file, are reset after each file without an error.
    """

    code = "AIG-G007"
    name = "session-state-changed"


class WrongPhase(GuardError):
    """Migrations of the requested phase come after pending migrations of the other phase.

    Nothing was executed. A migration may be marked `phase:expand` (executed before the application switches
    to its next version) or `phase:contract` (executed after). Migrations are applied in order of their
    numbers. An expand migration after a pending contract, or a contract migration after a pending
    expand, would therefore be skipped.
    """

    code = "AIG-G008"
    name = "wrong-phase"


class FormerPartition(GuardError):
    """A table has the name of a partition that is due, and is not a partition.

    It was detached, or created manually; its rows are not part of the partitioned table. Nothing was changed.
    Attach it again (`alter table … attach partition …`), or archive and drop it; then run
    `aigym-db partitions apply` again.
    """

    code = "AIG-G009"
    name = "former-partition"
