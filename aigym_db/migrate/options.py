"""The options of a run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from aigym_db.database.locks import PATIENCE_MS
from aigym_db.model.migration import Phase
from aigym_db.model.session import MigrationSession
from aigym_db.project.config import LOCK_TIMEOUT_MS, Project
from aigym_db.project.git import head_commit


@dataclass(frozen=True, slots=True)
class Options:
    """The options of a run, from the settings and the command line."""

    owner: str | None = None
    """The role that executes the migrations; None for the role of the connection."""
    search_path: tuple[str, ...] = ("public",)
    """The schemas in which unqualified names are resolved; new objects are created in the first."""
    lock_timeout_ms: int = LOCK_TIMEOUT_MS
    patience_ms: int = PATIENCE_MS
    lock_wait_s: float | None = None
    """Maximum time to wait for another run, in seconds; None for no limit, 0 not to wait."""
    frozen: frozenset[int] | None = None
    """The versions in the lock file; None skips the check."""
    local: bool = False
    """True if the database is the project's own local one, which accepts drafts."""
    durable: bool = False
    """True if every commit waits for the disk, not only the last one of the run."""
    transaction: Literal["migration", "run"] = "migration"
    """The extent of a transaction: each migration, or the whole run."""
    scope: str = ""
    """The tenant schema to migrate, which replaces the first schema of `search_path`; empty for the database
    itself."""
    git_commit: str | None = None
    phase: Phase | None = None
    """Apply only the next migrations of this phase, expand or contract; None for all."""
    out_of_order: frozenset[int] = frozenset()
    """The versions that may be applied although a newer one is applied already."""
    resolve: Literal["done", "again"] | None = None
    """The outcome, determined manually, of a statement whose effects the catalog does not show."""

    @property
    def session(self) -> MigrationSession:
        """The session in which the files of this run are executed."""
        path = (self.scope, *self.search_path[1:]) if self.scope else self.search_path
        return MigrationSession(self.owner, path)

    @classmethod
    def of(cls, project: Project, frozen: frozenset[int] | None = None) -> Options:
        """Return the options that the settings of a project specify.

        `frozen` are the versions in the lock file; without it they are read. Raise EditedFrozen (AIG-T001) or
        MissingMigration (AIG-T002) if a frozen file was edited or is missing.
        """
        from aigym_db.project import lock_file
        from aigym_db.project.migrations import migrations

        return cls(
            owner=project.owner,
            search_path=project.search_path,
            lock_timeout_ms=project.lock_timeout_ms,
            frozen=lock_file.frozen(project, migrations(project)) if frozen is None else frozen,
            durable=project.durable,
            transaction=project.transaction,
            git_commit=head_commit(project.root),
        )
