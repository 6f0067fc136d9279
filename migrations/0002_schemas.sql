-- 0002 schemas
-- from: schema/extensions/_schema.sql.j2, schema/core/_schema.sql.j2, schema/privacy/_schema.sql.j2, schema/ops/_schema.sql.j2, schema/parts/_schema.sql.j2, schema/audit/_schema.sql.j2, schema/authz/_schema.sql.j2, schema/iam/_schema.sql.j2, schema/platform/_schema.sql.j2, schema/media/_schema.sql.j2, schema/ai/_schema.sql.j2, schema/content/_schema.sql.j2, schema/api_v1/_schema.sql.j2
-- migrate:up

-- schema/extensions/_schema.sql.j2

-- Supabase already has this schema, owned by another role: it is not changed.
-- Down: drops the schema if aigym_owner owns it.
do $$
begin
  if to_regnamespace('extensions') is not null then
    return;
  end if;

  create schema extensions authorization aigym_owner;

  comment on schema extensions is 'Extensions only, so that no search path has to contain them.';

  revoke all on schema extensions from public;
end
$$;

-- schema/core/_schema.sql.j2

create schema core authorization aigym_owner;

comment on schema core is 'Foundation of all other domains: keys, shared types, and the catalog of tables.';

revoke all on schema core from public;

-- schema/privacy/_schema.sql.j2

create schema privacy authorization aigym_owner;

comment on schema privacy is 'Data protection: retention, lifecycle, consent, erasure.';

revoke all on schema privacy from public;

-- schema/ops/_schema.sql.j2

create schema ops authorization aigym_owner;

comment on schema ops is 'Operation of the database: partitions, jobs, health.';

revoke all on schema ops from public;

grant usage on schema ops to aigym_job;

-- schema/parts/_schema.sql.j2

create schema parts authorization aigym_owner;

comment on schema parts is
  'Every partition of every table. Not accessible: rows are accessed through the parent, which has the '
  'policies.';

revoke all on schema parts from public;

-- schema/audit/_schema.sql.j2

create schema audit authorization aigym_owner;

comment on schema audit is 'Logs of row changes, security events and system events. Append-only.';

revoke all on schema audit from public;

-- Functions in authz read elevations.
grant usage on schema audit to aigym_authz;

-- schema/authz/_schema.sql.j2

create schema authz authorization aigym_owner;

comment on schema authz is 'Functions called by policies. No tables; not exposed by the API.';

revoke all on schema authz from public;

-- The new owner of a function must have CREATE on its schema.
grant usage, create on schema authz to aigym_authz;

grant usage on schema authz to anon, authenticated, service_role;

-- schema/iam/_schema.sql.j2

create schema iam authorization aigym_owner;

comment on schema iam is 'People, tenants, memberships, roles and permissions.';

revoke all on schema iam from public;

-- Functions in authz read memberships and roles.
grant usage on schema iam to aigym_authz;

-- schema/platform/_schema.sql.j2

create schema platform authorization aigym_owner;

comment on schema platform is 'Languages, settings and feature flags.';

revoke all on schema platform from public;

-- schema/media/_schema.sql.j2

create schema media authorization aigym_owner;

comment on schema media is 'Metadata of files in object storage.';

revoke all on schema media from public;

-- schema/ai/_schema.sql.j2

create schema ai authorization aigym_owner;

comment on schema ai is 'Providers, models, conversations and their cost.';

revoke all on schema ai from public;

-- schema/content/_schema.sql.j2

create schema content authorization aigym_owner;

comment on schema content is 'The five repositories: agents, videos, documents, prompts and automations.';

revoke all on schema content from public;

-- schema/api_v1/_schema.sql.j2

create schema api_v1 authorization aigym_owner;

comment on schema api_v1 is
  'The only schema that the API exposes: views that are executed with the caller''s privileges.';

revoke all on schema api_v1 from public;

-- migrate:down

drop schema api_v1;
drop schema content;
drop schema ai;
drop schema media;
drop schema platform;
drop schema iam;
drop schema authz;
drop schema audit;
drop schema parts;
drop schema ops;
drop schema privacy;
drop schema core;

-- Drops the schema only if aigym_owner owns it; the schema of Supabase is kept.
do $$
begin
  if exists (
    select
    from pg_catalog.pg_namespace
    where nspname = 'extensions'
      and nspowner = 'aigym_owner'::regrole
  ) then
    drop schema extensions cascade;
  end if;
end
$$;
