"""Every refusal of aigym-db.

    AigymError
    ├── ProjectError      2    the project or the command line is wrong; nothing was tried
    ├── GuardError        3    it could be done, and a guard says no
    ├── ServerError       4    PostgreSQL refused; nothing changed
    ├── TamperedError     5    history and files, or state and history, do not agree
    ├── LockedError       6    another runner is at work
    ├── PartiallyAppliedError      7    stopped half-way outside a transaction; the next run goes on from there
    └── StoppedError      130  a person or a supervisor said stop

Each class below is one refusal: its `code` never changes, its docstring is the page that
`aigym-db explain CODE` shows. The sentence, the place and the hint come with the instance.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from aigym_db.model.source import Place

if TYPE_CHECKING:
    from aigym_db.model.migration import Plan


class AigymError(Exception):
    """Something aigym-db will not do, said so that the reader can go on."""

    code = "AIG-000"
    exit_status = 2

    def __init__(self, message: str, *, place: Place | None = None, detail: str = "", hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.place = place
        self.detail = detail
        """What the server or a library said, several lines if need be. Never a password."""
        self.hint = hint
        """A sentence that starts with a verb."""


class ProjectError(AigymError):
    """The project or the command line is wrong."""

    exit_status = 2


class GuardError(AigymError):
    """A guard refused."""

    exit_status = 3


class ServerError(AigymError):
    """PostgreSQL refused; nothing changed."""

    exit_status = 4


class TamperedError(AigymError):
    """Files, ledger and catalog do not agree."""

    exit_status = 5


class LockedError(AigymError):
    """Another runner holds the lock."""

    exit_status = 6


class PartiallyAppliedError(AigymError):
    """Stopped half-way outside a transaction; resumable."""

    exit_status = 7


class StoppedError(AigymError):
    """Interrupted by a signal."""

    exit_status = 130


def pages() -> Iterator[type[AigymError]]:
    """Every refusal that has a code of its own, sorted by code."""

    def below(kind: type[AigymError]) -> Iterator[type[AigymError]]:
        for child in kind.__subclasses__():
            if "code" in vars(child):
                yield child
            yield from below(child)

    return iter(sorted(below(AigymError), key=lambda kind: kind.code))


# --- P: the project and its files ---------------------------------------------------------------


class NoProject(ProjectError):
    """There is no project here.

    A project is a folder with `aigym-db.toml`, or with a `pyproject.toml` that has a `[tool.aigym-db]`
    table, or simply with a `migrations/` folder. aigym-db looks in the current folder and its parents.
    """

    code = "AIG-P001"


class BadConfig(ProjectError):
    """A setting is unknown or has a value it cannot have.

    Settings stand in `[tool.aigym-db]` of `pyproject.toml` or at the top of `aigym-db.toml`. A setting that
    aigym-db does not know is an error, because a misspelt one would silently do nothing.
    """

    code = "AIG-P002"


class BadCard(ProjectError):
    """The card at the head of a table's file is incomplete, or has a key or value that does not exist."""

    code = "AIG-P003"


class BadTemplate(ProjectError):
    """Jinja could not render a template: a syntax error, an undefined variable, a missing macro."""

    code = "AIG-P004"


class BadSql(ProjectError):
    """PostgreSQL's parser does not accept the SQL of a file.

    The caret is where the parser stopped; the mistake is there or just before it. It is the parser of
    PostgreSQL itself, so no server would have taken the statement.
    """

    code = "AIG-P005"


class ReferenceCycle(ProjectError):
    """Two or more files need each other, so none can be created first.

    Move one of the foreign keys into the domain's `_links.sql.j2`, which is created after all tables.
    """

    code = "AIG-P006"


class UnknownReference(ProjectError):
    """A file refers to something no file creates, or to a domain that `domains.toml` does not let it use."""

    code = "AIG-P007"


class BadMigration(ProjectError):
    """A migration file is not one: its name, markers or options are wrong.

    A file is `NNNN_some_name.sql` and holds `-- migrate:up` and `-- migrate:down` (or
    `-- migrate:down irreversible: <reason>`), each with options such as `transaction:false`.
    """

    code = "AIG-P008"


class BadHistory(ProjectError):
    """A number is there twice in `migrations/`, or a file there is not named like a migration."""

    code = "AIG-P009"


class ForbiddenStatement(ProjectError):
    """A migration holds a statement that cannot run where it stands.

    In a file that is one transaction: BEGIN, COMMIT, ROLLBACK and friends, and what PostgreSQL refuses inside
    a transaction (CREATE INDEX CONCURRENTLY, VACUUM, …). In any file: SET without LOCAL, SET ROLE, another
    client_encoding than UTF8, standard_conforming_strings = off, and psql's own commands. In a backfill
    (`batch:5000`): anything but one UPDATE or DELETE of a table, with a condition
    that is no longer true of a row that is done.

    A dump of pg_dump in plain format is taken as it is: its `\\restrict` lines, the settings at its head,
    which are made local to the file, and its COPY with data.
    """

    code = "AIG-P010"


class CannotDraft(ProjectError):
    """`new` cannot write this change for you yet.

    It drafts what is added and what can be replaced (functions, views, policies, triggers, grants, comments).
    For a changed table write the migration by hand: `aigym-db new NAME --empty`.
    """

    code = "AIG-P011"


class BadAccessMatrix(ProjectError):
    """The answers sheet or the list of actors is incomplete or contradicts itself.

    Every table needs an answer for every actor and command; a table without answers is not tested, and
    what is not tested is not proven.
    """

    code = "AIG-P012"


class BadCommandLine(ProjectError):
    """An argument or option of the command line has a value it cannot have.

    Nothing was done. `aigym-db COMMAND --help` says what the command takes.
    """

    code = "AIG-P013"


class BadSeed(ProjectError):
    """A seed set does not exist or one of its files cannot be loaded.

    A seed set is a folder in `seeds/`, and its `.sql` files are loaded in the order of their names. The
    rows of `seeds/test` have to satisfy every constraint, for the answers are tried on them.
    """

    code = "AIG-P014"


class StrayFile(ProjectError):
    """A file of `schema/` or `policies/` stands where aigym-db expects none, and would silently do nothing.

    `schema/` holds `domains.toml`, `_roles.sql.j2`, `_macros/` and a folder for each domain with
    `<table>.sql.j2`, `_schema.sql.j2`, `_types.sql.j2`, `_links.sql.j2`, `_functions/<function>.sql.j2` and
    `_views/<view>.sql.j2`. `policies/` holds `<domain>.sql.j2`, `<domain>.access.toml`, `actors.toml` and
    `_archetypes/`. Markdown files and hidden files may stand anywhere.
    """

    code = "AIG-P015"


class UnusableFile(ProjectError):
    """A file or folder cannot be read or written: its permissions, its kind or a full disk are in the way."""

    code = "AIG-P016"


class UnknownTenant(ProjectError):
    """A targets file names a tenant schema, or a pattern of schemas, that its database does not have.

    PostgreSQL passes over a schema of the search_path that does not exist, and every table would land
    elsewhere or nowhere. Nothing was done there. Create the schema first, or correct the file. A schema that
    is called `$user` can be no tenant's: in a search_path that is another one for each role.
    """

    code = "AIG-P017"


# --- G: guards ---------------------------------------------------------------------------------


class UnfrozenMigration(GuardError):
    """A migration that is not in LOCK would run on a database that is not the project's own local one.

    Drafts may still change, so they run only on the local server. Run `aigym-db freeze`, then commit LOCK.
    """

    code = "AIG-G001"


class ProductionGuard(GuardError):
    """The database says it is production, and this command is not for production.

    Made-up rows have no place there. Only the seed set `reference` may be loaded into a database that was
    marked with `alter database … set aigym.environment = 'production'`. Look twice at which database you
    named.
    """

    code = "AIG-G002"


class DataLoss(GuardError):
    """A rollback would destroy data, and was not confirmed.

    The detail lists the affected objects with the number of rows: tables, columns and sequences that are
    dropped, also by CASCADE; rows that are deleted, emptied or overwritten; values that a type change does
    not preserve; and functions and blocks whose effects cannot be determined before they run. Make a backup,
    then run the command with `--yes`, or confirm on a terminal. The plan you confirm is the plan that runs.
    """

    code = "AIG-G003"

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
    """A migration in the range says it cannot be undone.

    Its file says `-- migrate:down irreversible: <reason>`, so nothing of the range was undone. Go back less
    far, or write a new migration that mends forward.
    """

    code = "AIG-G004"


class ServerUnfit(GuardError):
    """The server lacks what the project needs, or cannot be started here.

    The lines below the message say what is missing: the server does not run, its version is another one, it
    belongs to another user, or its programs do not run on this machine. `aigym-db doctor` looks at each of
    these. Sessions in which triggers do not run (`session_replication_role`) are refused as well.
    """

    code = "AIG-G005"


class BehindPooler(GuardError):
    """The connection goes through a pooler that does not give us one server session.

    Locks, roles and settings would land in somebody else's session. Connect to PostgreSQL itself, on its
    own port. A pooler in session mode is refused as well: from here it looks like one that gives the session
    to somebody else after the next transaction.
    """

    code = "AIG-G006"


class SessionStateChanged(GuardError):
    """A migration is applied and left something in the session that the next one would meet.

    A role, a search_path or another setting that changes what SQL does, a temporary table, a prepared
    statement or an advisory lock that lasts beyond the file's transaction. The session was cleaned and the
    run stopped; running it again goes on with the next migration. Settings with names of their own, and what
    a trigger sets without consequence for the next file, end with the file without a word.
    """

    code = "AIG-G007"


class WrongPhase(GuardError):
    """A phase of a switch was asked for and the other one has to come first.

    A migration may say `phase:expand` (it runs before the application switches to its next version) or
    `phase:contract` (after). Migrations keep their order, so an expand behind a contract that is still
    pending, and a contract behind an expand that is, would be left out without a word. Nothing was done.
    """

    code = "AIG-G008"


# --- S: PostgreSQL refused ---------------------------------------------------------------------


class CannotConnect(ServerError):
    """No connection to the server could be made.

    What libpq or the server said stands below the message. The database is the one of `--database`, else
    `DATABASE_URL`, else what `PG*` variables and service files say, else the project's own.
    """

    code = "AIG-S001"


class StatementFailed(ServerError):
    """A statement failed; its transaction was rolled back and nothing of it remains.

    The place is the statement's own line in the file you edit, and below it stand SQLSTATE, DETAIL, HINT
    and CONTEXT as the server gave them. Migrations before this one stay applied.
    """

    code = "AIG-S002"


class ConnectionLost(ServerError):
    """The server went away; what was not committed is gone, what was committed is in the ledger."""

    code = "AIG-S003"


class LockTimeout(ServerError):
    """A table was in use for longer than we may make others wait; nothing changed.

    While a statement waits for its lock, all later ones wait behind it. So it gives up soon and tries
    again, and at the end names who was in the way. Run it when the table is less busy, or end that
    transaction.
    """

    code = "AIG-S004"


class ReadOnly(ServerError):
    """The role or the server may only read.

    A standby, a role with `default_transaction_read_only`, or a role without rights on the ledger. `status`
    and `verify` work all the same; to migrate, connect to the primary as a role that may write.
    """

    code = "AIG-S005"


# --- T: tampered or drifted --------------------------------------------------------------------


class EditedFrozen(TamperedError):
    """A frozen migration is not what LOCK says it is, or LOCK itself was edited.

    Frozen files are history: databases have run them as they were. Restore the file from version control and
    put the change into a new migration (`aigym-db new NAME`).
    """

    code = "AIG-T001"


class MissingMigration(TamperedError):
    """A migration is gone that the database ran or LOCK names, or was renamed, or the numbers have a hole.

    Bring the file back from version control, or check out the branch that has it. The ledger keeps the text
    of every migration: `aigym-db status --sql VERSION` prints it. A file that has the text under another name
    or number is named; give it its name again.
    """

    code = "AIG-T002"


class EditedMigration(TamperedError):
    """A migration file is not the one this database ran.

    File and LOCK may agree and the database still have run something else; the difference to what it ran is
    shown. Restore the file, and put the change into a new migration.
    """

    code = "AIG-T003"


class OutOfOrder(TamperedError):
    """A migration with a lower number than the newest applied one has not been applied.

    This database was migrated from a branch that did not have it. Applied now, it runs after migrations that
    were tested without it. When it does the same there, `aigym-db migrate --allow-out-of-order VERSION` runs
    it, and the ledger says so. It keeps its number: without it the line would have a hole.
    """

    code = "AIG-T004"


class Drifted(TamperedError):
    """Two catalogs that should be the same differ: state and history, or a database and its history."""

    code = "AIG-T005"


class LedgerChanged(TamperedError):
    """The ledger changed between plan and apply; plan again.

    Somebody migrated this database meanwhile, so the plan speaks of a database that is no longer there.
    """

    code = "AIG-T006"


class NameTaken(TamperedError):
    """Something that is not what a migration makes has the name of it already.

    An index of that name on another table, or with other columns, or one that is INVALID and was not left by
    aigym-db: taking it for the migration's own would record as applied what is not there. Look at it, then
    rename or drop it.
    """

    code = "AIG-T007"


# --- L, H, I -----------------------------------------------------------------------------------


class Locked(LockedError):
    """Another aigym-db is migrating this database.

    Who that is stands below the message. Wait for it, or give a longer `--lock-wait`; when its process is
    gone the server lets go of the lock by itself within seconds.
    """

    code = "AIG-L001"


class PartiallyApplied(PartiallyAppliedError):
    """A migration outside a transaction stopped between two of its statements; run it again to go on.

    Correct the cause where it is: in the data, on the server, or in a statement of the file that did not run
    yet. A frozen file may change only while no database has run all of it: delete its line from
    migrations/LOCK, correct the statement, run `aigym-db freeze`, and commit both with the reason.
    Until it is finished, a run in the other direction and a rollback that would stop short of it do nothing.
    """

    code = "AIG-H001"


class Interrupted(StoppedError):
    """Stopped by a signal; the running statement was cancelled and rolled back.

    What was committed before is in the ledger. Run the command again to go on.
    """

    code = "AIG-I001"
