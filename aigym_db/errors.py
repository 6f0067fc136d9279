"""Every refusal of aigym-db.

    AigymError
    ├── ProjectError      2    the project or the command line is wrong; nothing was tried
    ├── GuardError        3    it could be done, and a guard says no
    ├── ServerError       4    PostgreSQL refused; nothing changed
    ├── TamperedError     5    history and files, or state and history, do not agree
    ├── LockedError       6    another runner is at work
    ├── HalfwayError      7    stopped half-way outside a transaction; the next run goes on from there
    └── StoppedError      130  a person or a supervisor said stop

Each class below is one refusal: its `code` never changes, its docstring is the page that
`aigym-db explain CODE` shows. The sentence, the place and the hint come with the instance.
"""

from __future__ import annotations

from collections.abc import Iterator

from aigym_db.model.source import Place


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


class HalfwayError(AigymError):
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
    """PostgreSQL's parser does not accept the SQL of a file."""

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
    a transaction (CREATE INDEX CONCURRENTLY, VACUUM, …). In any file: SET without LOCAL, SET ROLE, and psql's
    own commands.
    """

    code = "AIG-P010"


class CannotDraft(ProjectError):
    """`new` cannot write this change for you yet.

    It drafts what is added and what can be replaced (functions, views, policies, triggers, grants, comments).
    For a changed table write the migration by hand: `aigym-db new NAME --empty`.
    """

    code = "AIG-P011"


class BadAnswers(ProjectError):
    """The answers sheet or the list of actors is incomplete or contradicts itself.

    Every table needs an answer for every actor and command; a table without answers is not tested, and
    what is not tested is not proven.
    """

    code = "AIG-P012"


class BadCommandLine(ProjectError):
    """An argument or option of the command line has a value it cannot have."""

    code = "AIG-P013"


class BadSeed(ProjectError):
    """A seed set does not exist or one of its files cannot be loaded."""

    code = "AIG-P014"


class StrayFile(ProjectError):
    """A file of `schema/` or `policies/` stands where aigym-db expects none, and would silently do nothing.

    `schema/` holds `domains.toml`, `_roles.sql.j2`, `_macros/` and a folder for each domain with
    `<table>.sql.j2`, `_schema.sql.j2`, `_types.sql.j2`, `_links.sql.j2`, `_functions/<function>.sql.j2` and
    `_views/<view>.sql.j2`. `policies/` holds `<domain>.sql.j2`, `<domain>.access.toml`, `actors.toml` and
    `_archetypes/`. Markdown files and hidden files may stand anywhere.
    """

    code = "AIG-P015"


# --- G: guards ---------------------------------------------------------------------------------


class NotFrozen(GuardError):
    """A migration that is not in LOCK would run on a database that is not the project's own local one.

    Drafts may still change, so they run only on the local server. Run `aigym-db freeze`, then commit LOCK.
    """

    code = "AIG-G001"


class ProductionRefused(GuardError):
    """The database says it is production, and this command is not for production."""

    code = "AIG-G002"


class WouldDestroyData(GuardError):
    """Rolling back would drop tables or columns that hold rows; it needs a yes."""

    code = "AIG-G003"


class Irreversible(GuardError):
    """A migration in the range says it cannot be undone."""

    code = "AIG-G004"


class ServerUnfit(GuardError):
    """The server lacks what the project needs, or cannot be started here."""

    code = "AIG-G005"


class BehindPooler(GuardError):
    """The connection goes through a pooler that does not give us one server session."""

    code = "AIG-G006"


class LeftBehind(GuardError):
    """A migration is applied and left something in the session that the next one would meet.

    A role, a search_path, a temporary table, a prepared statement or an advisory lock that lasts beyond the file's
    transaction. The session was cleaned and the run stopped; running it again goes on with the next migration.
    """

    code = "AIG-G007"


# --- S: PostgreSQL refused ---------------------------------------------------------------------


class CannotConnect(ServerError):
    """No connection to the server could be made."""

    code = "AIG-S001"


class StatementFailed(ServerError):
    """A statement failed; its transaction was rolled back and nothing of it remains."""

    code = "AIG-S002"


class ConnectionLost(ServerError):
    """The server went away; what was not committed is gone, what was committed is in the ledger."""

    code = "AIG-S003"


class LockTimeout(ServerError):
    """A table was in use for longer than we may make others wait; nothing changed."""

    code = "AIG-S004"


class ReadOnly(ServerError):
    """The role or the server may only read."""

    code = "AIG-S005"


# --- T: tampered or drifted --------------------------------------------------------------------


class EditedFrozen(TamperedError):
    """A frozen migration is not what LOCK says it is, or LOCK itself was edited.

    Frozen files are history: databases have run them as they were. Restore the file from version control and
    put the change into a new migration (`aigym-db new NAME`).
    """

    code = "AIG-T001"


class MissingApplied(TamperedError):
    """A migration is gone that the database ran or LOCK names, or the numbers have a hole.

    Bring the file back from version control, or check out the branch that has it.
    """

    code = "AIG-T002"


class EditedApplied(TamperedError):
    """A migration file is not the one this database ran."""

    code = "AIG-T003"


class OutOfOrder(TamperedError):
    """A migration with a lower number than the newest applied one has not been applied."""

    code = "AIG-T004"


class Drifted(TamperedError):
    """Two catalogs that should be the same differ: state and history, or a database and its history."""

    code = "AIG-T005"


class LedgerMoved(TamperedError):
    """The ledger changed between plan and apply; plan again."""

    code = "AIG-T006"


# --- L, H, I -----------------------------------------------------------------------------------


class Locked(LockedError):
    """Another aigym-db is migrating this database."""

    code = "AIG-L001"


class Halfway(HalfwayError):
    """A migration outside a transaction stopped between two of its statements; run it again to go on."""

    code = "AIG-H001"


class Interrupted(StoppedError):
    """Stopped by a signal; the running statement was cancelled and rolled back."""

    code = "AIG-I001"
