-- 0015 audit sessions
-- from: schema/audit/security_contexts.sql.j2
-- migrate:up

-- schema/audit/security_contexts.sql.j2

create table audit.security_contexts (
  id uuid not null default core.uuid_v7(),
  user_id uuid not null,
  tenant_id uuid,
  scope text not null,
  target_user_id uuid,
  reason text not null,
  ticket_ref text,
  elevated_by uuid,
  started_at timestamptz not null default now(),
  expires_at timestamptz not null,
  revoked_at timestamptz,
  constraint security_contexts_pkey primary key (id),
  constraint security_contexts_scope_check check (scope in ('phi_read', 'tenant_support')),
  constraint security_contexts_reason_check check (length(reason) between 10 and 500),
  constraint security_contexts_ticket_ref_check check (length(ticket_ref) <= 100),
  constraint security_contexts_expires_at_check check (expires_at <= started_at + interval '4 hours')
);

comment on table audit.security_contexts is
  'Break-glass elevations: opened by audit.elevate(), read by the functions in authz. No foreign keys, so '
  'that rows remain after erasure.';

comment on column audit.security_contexts.user_id is 'The elevated person.';

comment on column audit.security_contexts.tenant_id is
  'The tenant that the elevation covers; required by scope tenant_support.';

comment on column audit.security_contexts.target_user_id is
  'The person whose data the elevation covers; required by scope phi_read.';

comment on column audit.security_contexts.revoked_at is
  'The time at which audit.end_elevation() ended the elevation before it expired.';

-- Policies: active elevations of a person.
create index security_contexts_user_id_scope_expires_at_idx
  on audit.security_contexts (user_id, scope, expires_at)
  where revoked_at is null;

alter table audit.security_contexts enable row level security;

revoke all on audit.security_contexts from public;

grant select on audit.security_contexts to aigym_authz;

create trigger zz_audit
  after insert or update or delete on audit.security_contexts
  for each row execute function audit.record_row(
    'full',
    'id',
    'user_id,target_user_id,elevated_by,reason',
    'user_id',
    'tenant_id'
  );

-- migrate:down

drop table audit.security_contexts;
