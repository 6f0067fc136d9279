"""The migrations, written for a database in production."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Migration:
    """A migration file."""

    name: str
    sql: str
    options: str = ""
    """The options after `migrate:up`."""

    @property
    def transaction(self) -> bool:
        """Whether psql runs it in a transaction; batched changes are."""
        return "transaction:false" not in self.options


NON_TRANSACTIONAL = "transaction:false"

MIGRATIONS = (
    Migration("add_nickname", "alter table accounts add column nickname text;"),
    Migration("add_active", "alter table accounts add column active boolean not null default true;"),
    Migration(
        "check_balance",
        "alter table accounts add constraint accounts_balance_large\n  check (balance > -1000000) not valid;",
    ),
    Migration("validate_balance", "alter table accounts validate constraint accounts_balance_large;"),
    Migration(
        "index_sessions",
        "create index concurrently sessions_account_id_idx on sessions (account_id);",
        NON_TRANSACTIONAL,
    ),
    Migration(
        "index_messages",
        "create index concurrently messages_account_id_sent_at_idx on messages (account_id, sent_at);",
        NON_TRANSACTIONAL,
    ),
    Migration(
        "sessions_account",
        "alter table sessions add constraint sessions_account_id_fkey\n"
        "  foreign key (account_id) references accounts not valid;",
    ),
    Migration("validate_account", "alter table sessions validate constraint sessions_account_id_fkey;"),
    Migration(
        "teams",
        "create table teams (\n"
        "  id bigint generated always as identity primary key,\n  name text not null\n);\n"
        "comment on table teams is 'People who train together.';\n"
        "create unique index teams_name_idx on teams (name);",
    ),
    Migration(
        "memberships",
        "create table memberships (\n"
        "  team_id bigint not null references teams on delete cascade,\n"
        "  account_id bigint not null references accounts on delete cascade,\n"
        "  primary key (team_id, account_id)\n);\n"
        "create index memberships_account_id_idx on memberships (account_id);",
    ),
    Migration(
        "email_given",
        "alter table accounts add constraint accounts_email_given check (email is not null) not valid;",
    ),
    Migration("validate_email", "alter table accounts validate constraint accounts_email_given;"),
    Migration("email_not_null", "alter table accounts alter column email set not null;"),
    Migration("drop_email_check", "alter table accounts drop constraint accounts_email_given;"),
    Migration("comment_accounts", "comment on table accounts is 'Login accounts.';"),
    Migration("grant_accounts", "grant select on accounts, teams to pg_monitor;"),
    Migration(
        "function_tidy",
        "create function tidy(given text) returns text language sql immutable as $$ select btrim(given) $$;",
    ),
    Migration(
        "trigger_messages",
        "create function messages_tidy() returns trigger language plpgsql as $$\n"
        "begin\n  new.body := tidy(new.body);\n  return new;\nend\n$$;\n"
        "create trigger messages_tidy before insert on messages\n"
        "  for each row execute function messages_tidy();",
    ),
    Migration("state_paused", "alter type session_state add value 'paused' before 'closed';"),
    Migration("drop_old_index", "drop index concurrently messages_old_idx;", NON_TRANSACTIONAL),
    Migration("statistics_minutes", "alter table sessions alter column minutes set statistics 500;"),
    Migration(
        "rename_constraint",
        "alter table accounts rename constraint accounts_balance_large to accounts_balance_check;",
    ),
    Migration(
        "fill_nickname",
        "update accounts set nickname = lower(name) where nickname is null;",
        "batch:5000",
    ),
    Migration(
        "april",
        "create table events_2026_04 (like events including all excluding identity,\n"
        "  constraint april check (at >= '2026-04-01' and at < '2026-05-01'));",
    ),
    Migration(
        "attach_april",
        "alter table events attach partition events_2026_04\n"
        "  for values from ('2026-04-01') to ('2026-05-01');",
    ),
    Migration(
        "detach_january",
        "alter table events detach partition events_2026_01 concurrently;",
        NON_TRANSACTIONAL,
    ),
    Migration(
        "view_active", "create view active_accounts as select id, name, nickname from accounts where active;"
    ),
    Migration(
        "replace_tidy",
        "create or replace function tidy(given text) returns text language sql immutable\n"
        "  as $$ select btrim(given, ' ') $$;",
    ),
    Migration("default_minutes", "alter table sessions alter column minutes set default 1;"),
    Migration("drop_default", "alter table sessions alter column minutes drop default;"),
    Migration("add_length", "alter table messages add column length integer;"),
    Migration(
        "unique_email",
        "create unique index concurrently accounts_email_key on accounts (email);",
        NON_TRANSACTIONAL,
    ),
    Migration(
        "constrain_email",
        "alter table accounts add constraint accounts_email_key unique using index accounts_email_key;",
    ),
    Migration(
        "first_teams", "insert into teams (name) select 'Team ' || n from generate_series(1, 50) as n;"
    ),
    Migration("analyze_sessions", "analyze sessions;"),
    Migration("vacuum_earlier", "alter table sessions set (autovacuum_vacuum_scale_factor = 0.05);"),
    Migration("rebuild_index", "reindex index concurrently sessions_started_at_idx;", NON_TRANSACTIONAL),
    Migration("drop_trigger", "drop trigger messages_tidy on messages;"),
    Migration("drop_obsolete", "alter table accounts drop column obsolete;"),
    Migration(
        "teams_policy",
        "alter table teams enable row level security;\n"
        "create policy teams_select on teams for select to pg_monitor using (true);",
    ),
)
