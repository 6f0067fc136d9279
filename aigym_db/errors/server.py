"""Errors that PostgreSQL reported, AIG-S001 to AIG-S005."""

from __future__ import annotations

from aigym_db.errors.base import ServerError


class CannotConnect(ServerError):
    """The connection to the server failed.

    The detail contains the message of libpq or of the server. The database is taken from `--database`, else
    from `DATABASE_URL`, else from the `PG*` variables and service files, else it is the project's local
    database.
    """

    code = "AIG-S001"
    name = "cannot-connect"


class StatementFailed(ServerError):
    """A statement failed and its transaction was rolled back.

    The place is the line of the statement in the file you edit; the detail contains SQLSTATE, DETAIL, HINT
    and CONTEXT of the server. Migrations that were applied before remain applied.
    """

    code = "AIG-S002"
    name = "statement-failed"


class ConnectionLost(ServerError):
    """The connection to the server was lost.

    Transactions that were not committed are rolled back by the server; those that were committed are recorded
    in the ledger. Run the command again.
    """

    code = "AIG-S003"
    name = "connection-lost"


class LockTimeout(ServerError):
    """A lock could not be acquired within the lock timeout, after several attempts. Nothing was changed.

    While a statement waits for a lock, later statements on the same table queue after it. Each attempt is
    therefore limited to `lock_timeout_ms` and retried after a pause. The detail names the blocking sessions.
    Run the command again when the table is less busy, or end the blocking transaction.
    """

    code = "AIG-S004"
    name = "lock-timeout"


class ReadOnly(ServerError):
    """The role or the server cannot write.

    The server is a standby, the role has `default_transaction_read_only`, or the role has no privileges on
    the ledger. `status` and `verify` need read access only; to migrate, connect to the primary as a role that
    can write.
    """

    code = "AIG-S005"
    name = "read-only"
