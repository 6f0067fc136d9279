"""Errors of the project and its files, AIG-P001 to AIG-P018."""

from __future__ import annotations

from aigym_db.errors.base import ProjectError


class NoProject(ProjectError):
    """No project was found.

    A project is a folder that contains `aigym-db.toml`, a `pyproject.toml` with a `[tool.aigym-db]` table, or
    a `migrations/` folder. The current folder (or the folder given with `-C`) and its parents are searched.

    To create a project, run `aigym-db init DIR`.
    """

    code = "AIG-P001"
    name = "no-project"


class BadConfig(ProjectError):
    """A setting is unknown or has an invalid value.

    Settings are read from `[tool.aigym-db]` in `pyproject.toml` or from the top level of `aigym-db.toml`; a
    targets file has settings of its own. Unknown settings are rejected because a misspelt setting would have
    no effect.
    """

    code = "AIG-P002"
    name = "bad-config"


class BadCard(ProjectError):
    """The card of a table file is incomplete, or has an unknown key or an invalid value."""

    code = "AIG-P003"
    name = "bad-card"


class BadTemplate(ProjectError):
    """A Jinja template cannot be rendered: syntax error, undefined variable or missing macro."""

    code = "AIG-P004"
    name = "bad-template"


class BadSql(ProjectError):
    """A file contains a syntax error.

    The caret marks the position at which the parser stopped; the mistake is there or just before it. The
    parser is PostgreSQL's own, so a server of that version rejects the statement, too.
    """

    code = "AIG-P005"
    name = "bad-sql"


class ReferenceCycle(ProjectError):
    """Two or more files reference each other, so none of them can be created first.

    Move one of the foreign keys to the `_links.sql.j2` file of its domain. That file is executed after all
    tables.
    """

    code = "AIG-P006"
    name = "reference-cycle"


class UnknownReference(ProjectError):
    """A file references an object that no file creates, or a domain that `domains.toml` does not allow."""

    code = "AIG-P007"
    name = "unknown-reference"


class BadMigration(ProjectError):
    """A migration file has an invalid name, marker or option.

    A migration file is named `NNNN_some_name.sql`. It contains the markers `-- migrate:up` and `--
    migrate:down` (or `-- migrate:down irreversible: <reason>`), each with options such as
    `transaction:false`.
    """

    code = "AIG-P008"
    name = "bad-migration"


class BadHistory(ProjectError):
    """Two files in `migrations/` have the same number, or a file is not named like a migration."""

    code = "AIG-P009"
    name = "bad-history"


class ForbiddenStatement(ProjectError):
    """A migration contains a statement that cannot be executed in it. Nothing was executed.

    In a transactional file: transaction control (BEGIN, COMMIT, ROLLBACK, …) and statements that PostgreSQL
    rejects in a transaction block (CREATE INDEX CONCURRENTLY, VACUUM, …). Write `transaction:false` on the
    marker line for the latter.

    In any file: SET without LOCAL, SET ROLE, a client_encoding other than UTF8, standard_conforming_strings =
    off, and psql meta-commands.

    In a backfill (`batch:5000`): anything but one UPDATE or DELETE of a table whose WHERE clause is no longer
    true for a row that has been changed.

    A plain-format dump of pg_dump is accepted as it is: its `\\restrict` lines, the settings at its beginning
    (which are made local to the file) and COPY with data.
    """

    code = "AIG-P010"
    name = "forbidden-statement"


class CannotDraft(ProjectError):
    """`aigym-db new` cannot draft this change.

    Drafts cover objects that are added and objects that can be replaced: functions, views, policies,
    triggers, grants and comments. For a changed table write the migration by hand: `aigym-db new NAME
    --empty`.
    """

    code = "AIG-P011"
    name = "cannot-draft"


class BadAccessMatrix(ProjectError):
    """The access matrix or the list of actors is incomplete or contradicts itself.

    The matrix must contain the expected access of every actor to every table, for each command. A cell that
    is missing would not be tested, so there is no default.
    """

    code = "AIG-P012"
    name = "bad-access-matrix"


class BadCommandLine(ProjectError):
    """An argument or option of the command line is unknown or has an invalid value. Nothing was executed.

    `aigym-db COMMAND --help` lists the arguments and options of a command.
    """

    code = "AIG-P013"
    name = "bad-command-line"


class BadSeed(ProjectError):
    """A seed set does not exist, or one of its files cannot be loaded.

    A seed set is a folder in `seeds/`; its `.sql` files are loaded in the order of their names. The rows of
    `seeds/test` must satisfy every constraint, because the access matrix is tested on them.
    """

    code = "AIG-P014"
    name = "bad-seed"


class StrayFile(ProjectError):
    """A file in `schema/` or `policies/` has a name or a location that aigym-db does not use.

    Such a file is rejected because it would have no effect. `schema/` contains `domains.toml`,
    `_roles.sql.j2`, `_macros/` and one folder for each domain with `<table>.sql.j2`, `_schema.sql.j2`,
    `_types.sql.j2`, `_links.sql.j2`, `_interface.txt`, `_functions/<function>.sql.j2` and
    `_views/<view>.sql.j2`. `policies/` contains `<domain>.sql.j2`, `<domain>.access.toml`, `actors.toml` and
    `_archetypes/`. Markdown files and hidden files are ignored.
    """

    code = "AIG-P015"
    name = "stray-file"


class UnusableFile(ProjectError):
    """A file or folder cannot be read or written: permissions, kind of file, or a full disk."""

    code = "AIG-P016"
    name = "unusable-file"


class UnknownTenant(ProjectError):
    """A targets file names a tenant schema, or a pattern of schemas, that does not exist in its database.

    PostgreSQL ignores schemas in search_path that do not exist, so the tables of a migration would be created
    in another schema or not at all. Nothing was executed on this target. Create the schema or correct the
    file. A schema named `$user` cannot be a tenant schema: in search_path it is another schema for each role.
    """

    code = "AIG-P017"
    name = "unknown-tenant"


class BlindDetector(ProjectError):
    """The test of the access matrix does not report a table whose policy is deliberately wrong.

    Each run of `aigym-db test` creates such a table, the control, in a transaction that is rolled back: all
    actors can read a row that none is expected to read. If it is not reported, the run detects nothing, and
    matching cells prove nothing. A setting of the server that changes the meaning of policies, a broken
    installation or a fault of aigym-db can be the cause.
    """

    code = "AIG-P018"
    name = "blind-detector"
