"""`new` drafts the difference between templates and migrations, and its inverse."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from aigym_db.database.catalog import snapshot
from aigym_db.database.replay import built, replay, scratch
from aigym_db.database.servers.server import Server
from aigym_db.draft.new import new
from aigym_db.errors import BadCommandLine, BadTemplate, CannotDraft
from aigym_db.model.catalog import Catalog, Key
from aigym_db.project.config import Project, find
from aigym_db.project.migrations import migrations
from aigym_db.project.state import state
from tests.support.cards import card
from tests.support.sampling import sampled_items

ROLES = """
{% for name in ["draft_owner", "draft_reader", "draft_writer"] %}
do $$ begin create role {{ name }}; exception when duplicate_object then null; end $$;
{% endfor %}
do $$ begin execute format('grant create on database %I to draft_owner', current_database()); end $$;
alter default privileges for role draft_owner revoke execute on functions from public;
"""
BIRDS = """create table app.birds (
  id bigint generated always as identity primary key,
  name text not null constraint birds_name_check check (app.is_name(name)),
  seen app.sight not null default 'once'
);

comment on table app.birds is 'What was seen.';

-- For the list.
create index birds_name_idx on app.birds (name);

alter table app.birds enable row level security;

create trigger birds_touch before update on app.birds for each row execute function app.touch();
"""
FILES = {
    "aigym-db.toml": 'owner = "draft_owner"\n',
    "schema/domains.toml": '[[domain]]\nname = "app"\npurpose = "all"\nowner = "us"\n',
    "schema/_roles.sql.j2": ROLES,
    "schema/app/_schema.sql.j2": (
        "create schema app authorization draft_owner;\ngrant usage on schema app to draft_reader;\n"
    ),
    "schema/app/_types.sql.j2": "create type app.sight as enum ('once', 'often');\n",
    "schema/app/_functions/is_name.sql.j2": (
        "create function app.is_name(text) returns boolean language sql immutable as 'select $1 <> '''' ';\n"
    ),
    "schema/app/_functions/touch.sql.j2": (
        "create function app.touch() returns trigger language plpgsql as $$ begin return new; end $$;\n"
    ),
    "schema/app/_functions/may_see.sql.j2": (
        "create function app.may_see(bird bigint) returns boolean\n"
        "language sql stable as 'select bird > 0';\n\n"
        "comment on function app.may_see(bigint) is 'Whether it may be seen.';\n\n"
        "grant execute on function app.may_see(bigint) to draft_reader;\n"
    ),
    "schema/app/_views/names.sql.j2": (
        "create view app.names with (security_invoker = true) as select name from app.birds;\n\n"
        "grant select on app.names to draft_reader;\n\n"
        "comment on column app.names.name is 'How it is called.';\n"
    ),
    "schema/app/birds.sql.j2": card("app.birds") + BIRDS,
    "policies/app.sql.j2": (
        "grant select on app.birds to draft_reader;\n\n"
        "create policy birds_select on app.birds for select to draft_reader using (app.may_see(id));\n"
    ),
}
NESTS = """create table app.nests (
  id bigint primary key,
  bird_id bigint not null references app.birds (id)
);

comment on column app.nests.bird_id is 'Who lives there.';

create index nests_bird_id_idx on app.nests (bird_id);

alter table app.nests enable row level security;
"""
Edit = Callable[[Project], None]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project with templates and without migrations."""
    for file, text in FILES.items():
        write(tmp_path, file, text)
    return find(tmp_path)


@pytest.fixture
def in_sync(project: Project) -> Project:
    """A project whose migrations and templates produce the same database."""
    new(project, "begin")
    return project


def write(root: Path, file: str, text: str) -> None:
    path = root / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def replace(file: str, old: str, new_text: str) -> Edit:
    def edit(project: Project) -> None:
        text = (project.root / file).read_text(encoding="utf-8")
        assert old in text
        write(project.root, file, text.replace(old, new_text))

    return edit


def append(file: str, text: str) -> Edit:
    def edit(project: Project) -> None:
        path = project.root / file
        write(project.root, file, (path.read_text(encoding="utf-8") if path.exists() else "") + text)

    return edit


def remove(file: str) -> Edit:
    def edit(project: Project) -> None:
        (project.root / file).unlink()

    return edit


def history_catalog(server: Server, project: Project) -> Catalog:
    return built(server, [migration.up for migration in migrations(project)], project.session)


def state_catalog(server: Server, project: Project) -> Catalog:
    return built(server, state(project), project.session)


VIEW, POLICIES, BIRD = "schema/app/_views/names.sql.j2", "policies/app.sql.j2", "schema/app/birds.sql.j2"
MAY_SEE = "schema/app/_functions/may_see.sql.j2"
CHANGES: dict[str, tuple[Edit, str, str]] = {
    "a table with an index, a comment and row security": (
        append("schema/app/nests.sql.j2", card("app.nests") + NESTS),
        "create table app.nests (",
        "drop table app.nests;",
    ),
    "a function with another body": (
        replace(MAY_SEE, "bird > 0", "bird > 1"),
        "create or replace function app.may_see(bird bigint)",
        "CREATE OR REPLACE FUNCTION app.may_see(bird bigint)",
    ),
    "a new function": (
        append(
            "schema/app/_functions/size.sql.j2",
            "create function app.size() returns int language sql as 'select 1';",
        ),
        "create function app.size()",
        "drop function app.size();",
    ),
    "two overloads with the same number of arguments": (
        append(
            "schema/app/_functions/size.sql.j2",
            "create function app.size(a int) returns int language sql as 'select 1';\n"
            "create function app.size(a text) returns int language sql as 'select 1';\n"
            "create function app.size(a varchar(9)[], b app.birds.id%type) returns int "
            "language sql as 'select 1';\n",
        ),
        "create function app.size(a text)",
        "drop function app.size(integer);",
    ),
    "a policy with another condition": (
        replace(POLICIES, "using (app.may_see(id))", "using (id > 7)"),
        "drop policy birds_select on app.birds;\ncreate policy birds_select",
        "using (app.may_see(id))",
    ),
    "a new policy": (
        append(
            POLICIES,
            "create policy birds_insert on app.birds for insert to draft_writer with check (true);\n",
        ),
        "create policy birds_insert",
        "drop policy birds_insert on app.birds;",
    ),
    "a removed policy": (
        replace(POLICIES, "create policy birds_select on app.birds for select to draft_reader using", "-- "),
        "-- no longer in the templates\n\ndrop policy birds_select on app.birds;",
        "create policy birds_select on app.birds\n  for select to draft_reader",
    ),
    "a new grant and a removed grant": (
        replace(
            POLICIES, "grant select on app.birds to draft_reader", "grant insert on app.birds to draft_writer"
        ),
        "revoke select on app.birds from draft_reader;\ngrant insert on app.birds to draft_writer;",
        "grant select on app.birds to draft_reader;\nrevoke insert on app.birds from draft_writer;",
    ),
    "a grant option": (
        replace(POLICIES, "to draft_reader;", "to draft_reader with grant option;"),
        "grant select on app.birds to draft_reader with grant option;",
        "revoke grant option for select on app.birds from draft_reader;",
    ),
    "a grant on a column": (
        append(POLICIES, "grant update (name) on app.birds to draft_writer;\n"),
        "grant update (name) on app.birds to draft_writer;",
        "revoke update (name) on app.birds from draft_writer;",
    ),
    "grants on several columns": (
        append(POLICIES, "grant insert (name), update (seen, name) on app.birds to draft_writer;\n"),
        "grant insert (name), update (name, seen) on app.birds to draft_writer;",
        "revoke insert (name), update (name, seen) on app.birds from draft_writer;",
    ),
    "a function granted to public": (
        append(MAY_SEE, "grant execute on function app.may_see(bigint) to public;\n"),
        "grant execute on function app.may_see(bigint) to public;",
        "revoke execute on function app.may_see(bigint) from public;",
    ),
    "a comment": (
        replace(BIRD, "What was seen.", "What we''ve seen."),
        "comment on table app.birds is 'What we''ve seen.';",
        "comment on table app.birds is 'What was seen.';",
    ),
    "a comment with a backslash": (
        replace(BIRD, "What was seen.", r"C:\birds"),
        "comment on table app.birds is",
        "comment on table app.birds is 'What was seen.';",
    ),
    "a view with another column": (
        replace(VIEW, "select name", "select id, name"),
        "drop view app.names;\ncreate view app.names with (security_invoker = true)",
        "comment on column app.names.name is 'How it is called.';",
    ),
    "a view with other rows": (
        replace(VIEW, "select name from app.birds", "select name from app.birds where name <> ''"),
        "create or replace view app.names with (security_invoker = true)",
        "create or replace view app.names",
    ),
    "a view with another type of a column": (
        replace(VIEW, "select name from", "select name::varchar(20) as name from"),
        "drop view app.names;\ncreate view app.names with (security_invoker = true)",
        "drop view app.names;",
    ),
    "a removed view": (remove(VIEW), "drop view app.names;", "grant select on app.names to draft_reader;"),
    "a trigger for another command": (
        replace(BIRD, "before update on", "before insert or update on"),
        "drop trigger birds_touch on app.birds;",
        "drop trigger birds_touch on app.birds;",
    ),
    "row-level security disabled": (
        replace(BIRD, "enable row level", "disable row level"),
        "alter table app.birds disable row level security;",
        "alter table app.birds enable row level security;",
    ),
    "default privileges": (
        append(
            "schema/_roles.sql.j2",
            "alter default privileges for role draft_owner grant select on tables to draft_reader;",
        ),
        "grant select on tables to draft_reader;",
        "alter default privileges for role draft_owner revoke select on tables from draft_reader;",
    ),
    "a statement whose effect is known at run time": (
        append(BIRD, "insert into app.birds (name) values ('wren');\n"),
        "insert into app.birds (name) values ('wren');",
        "Nothing to roll back",
    ),
    "an index on an existing table": (
        append(BIRD, "create index birds_seen_idx on app.birds (seen);\n"),
        "-- migrate:up transaction:false\n\n-- schema/app/birds.sql.j2\n\n"
        "create index concurrently birds_seen_idx on app.birds (seen);",
        "drop index concurrently app.birds_seen_idx;",
    ),
}
NOT_DRAFTED: dict[str, tuple[Edit, str]] = {
    "a new column": (
        replace(BIRD, "  name text", "  size int,\n  name text"),
        "column app.birds.size is in the templates only",
    ),
    "a column of another type": (
        replace(BIRD, "name text", "name varchar(9)"),
        "column app.birds.name: type is 'text' in the migrations, 'character varying(9)' in the templates",
    ),
    "a check with another condition": (
        replace(BIRD, "app.is_name(name)", "name <> 'x'"),
        "constraint app.birds.birds_name_check: definition",
    ),
    "a type with another label": (
        replace("schema/app/_types.sql.j2", "'often'", "'often', 'always'"),
        "type app.sight: labels",
    ),
}


@pytest.mark.parametrize(("edit", "up", "down"), sampled_items(CHANGES, 4))
def test_a_change_is_drafted_and_rolled_back(
    server: Server, in_sync: Project, edit: Edit, up: str, down: str
) -> None:
    before = history_catalog(server, in_sync)
    first_new = len(migrations(in_sync))
    edit(in_sync)

    (path,) = new(in_sync, "the change")

    up_part, _, down_part = path.read_text(encoding="utf-8").partition("-- migrate:down")
    assert up in up_part
    assert down in down_part
    assert history_catalog(server, in_sync).difference(state_catalog(server, in_sync)) == ()
    with scratch(server, in_sync.session) as connection:
        files = migrations(in_sync)
        replay(connection, [migration.up for migration in files], owner=in_sync.owner)
        replay(
            connection,
            [part for file in files[: first_new - 1 : -1] if (part := file.down)],
            owner=in_sync.owner,
        )
        assert snapshot(connection, all_roles=True).difference(before) == ()


@pytest.mark.parametrize(("edit", "difference"), sampled_items(NOT_DRAFTED, 4))
def test_a_changed_table_or_type_is_rejected_with_the_difference(
    in_sync: Project, edit: Edit, difference: str
) -> None:
    edit(in_sync)

    with pytest.raises(CannotDraft) as error:
        new(in_sync, "the change")

    assert difference in error.value.detail
    assert len(migrations(in_sync)) == 2


def test_the_first_draft_creates_all_objects_and_its_down_drops_them(
    server: Server, project: Project
) -> None:
    roles, rest = new(project, "begin")

    assert "-- migrate:up role:none" in roles.read_text()
    assert "-- from: schema/app/_schema.sql.j2, schema/app/_types.sql.j2" in rest.read_text()
    assert history_catalog(server, project).difference(state_catalog(server, project)) == ()
    assert "-- For the list.\ncreate index birds_name_idx" in rest.read_text()
    assert "-- tenancy" not in rest.read_text()


def test_a_change_of_a_required_object_is_rejected_with_the_error_of_the_server(in_sync: Project) -> None:
    replace(
        MAY_SEE,
        "returns boolean\nlanguage sql stable as 'select bird > 0'",
        "returns int\nlanguage sql as 'select 1'",
    )(in_sync)
    replace(POLICIES, "app.may_see(id)", "app.may_see(id) = 1")(in_sync)
    write(
        in_sync.root,
        "schema/app/_views/seen.sql.j2",
        "create view app.seen as select app.may_see(1) as seen;\n",
    )

    with pytest.raises(CannotDraft, match=r"PostgreSQL rejects the draft: .* other objects depend on it"):
        new(in_sync, "the change")

    assert len(migrations(in_sync)) == 2


def test_a_draft_without_changes_is_rejected(in_sync: Project) -> None:
    with pytest.raises(CannotDraft, match="contain no change that the migrations lack"):
        new(in_sync, "again")


def test_only_limits_the_draft_to_some_templates(project: Project) -> None:
    first = new(project, "first half", only=("schema/_roles.sql.j2", "schema/app/_schema.sql.j2"))
    second = new(project, "second half")

    assert [file.name for file in first + second] == [
        "0001_first_half_roles.sql",
        "0002_first_half.sql",
        "0003_second_half.sql",
    ]
    assert "create schema" not in second[0].read_text()


def test_a_template_that_states_its_role_is_drafted_as_a_migration_of_its_own(
    server: Server, project: Project
) -> None:
    text = "-- role: none\n-- Who runs it owns it.\ncreate table app.eggs ();\n"
    write(project.root, "schema/app/_links.sql.j2", text)

    first = new(project, "begin")

    assert [file.name for file in first] == [
        *("0001_begin_roles.sql", "0002_begin.sql", "0003_begin_role_none.sql", "0004_begin.sql"),
    ]
    third = first[2].read_text()
    assert third.count("-- migrate:up role:none") == third.count("-- migrate:down role:none") == 1
    assert "-- Who runs it owns it.\ncreate table app.eggs" in third
    assert "-- role: none" not in third
    eggs = Key("table", "app.eggs")
    assert history_catalog(server, project).facts[eggs]["owner"] == "postgres"
    assert history_catalog(server, project).difference(state_catalog(server, project)) == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("-- role: draft_reader\nselect 1;", "cannot run as `draft_reader`"),
        ("-- A link.\n-- role: none\nselect 1;", "states its role below its first line"),
    ],
)
def test_another_role_or_place_of_it_is_rejected(project: Project, text: str, message: str) -> None:
    write(project.root, "schema/app/_links.sql.j2", text)

    with pytest.raises(BadTemplate, match=message) as error:
        new(project, "begin")

    assert error.value.place is not None


def test_an_empty_file_contains_only_the_markers(in_sync: Project) -> None:
    (path,) = new(in_sync, "Add session-rating", empty=True)

    assert path.name == "0003_add_session_rating.sql"
    assert path.read_text().startswith("-- 0003 add session rating\n-- migrate:up\n")


@pytest.mark.parametrize("name", ["", "1st", "ümlaut", "a/b", "a;b"])
def test_an_invalid_name_is_rejected(in_sync: Project, name: str) -> None:
    with pytest.raises(BadCommandLine):
        new(in_sync, name, empty=True)
