-- 0021 ai models
-- from: schema/ai/providers.sql.j2, schema/ai/models.sql.j2
-- migrate:up

-- schema/ai/providers.sql.j2

create table ai.providers (
  id uuid not null default gen_random_uuid(),
  code text not null,
  name text not null,
  data_region text,
  has_dpa boolean not null default false,
  has_baa boolean not null default false,
  is_enabled boolean not null default true,
  created_at timestamptz not null default now(),
  created_by uuid default auth.uid(),
  updated_at timestamptz not null default now(),
  updated_by uuid,
  constraint providers_pkey primary key (id),
  constraint providers_code_key unique (code),
  constraint providers_code_check check (length(code) between 1 and 100),
  constraint providers_name_check check (length(name) between 1 and 200),
  constraint providers_data_region_check check (length(data_region) <= 100)
);

comment on table ai.providers is 'Data processors in the sense of the GDPR.';

comment on column ai.providers.has_dpa is 'A data processing agreement is signed: personal data may be sent.';

comment on column ai.providers.has_baa is 'A business associate agreement is signed: health data may be sent.';

create trigger aa_touch
  before update on ai.providers
  for each row execute function core.touch();

create trigger zz_audit
  after insert or update or delete on ai.providers
  for each row execute function audit.record_row(
    'full',
    'id',
    '',
    '',
    ''
  );

alter table ai.providers enable row level security;

revoke all on ai.providers from public;

-- schema/ai/models.sql.j2

create table ai.models (
  id uuid not null default gen_random_uuid(),
  provider_id uuid not null,
  code text not null,
  name text not null,
  context_tokens integer not null,
  input_usd_per_mtok numeric(12, 6) not null,
  output_usd_per_mtok numeric(12, 6) not null,
  capabilities text[] not null default '{}',
  is_enabled boolean not null default true,
  released_on date,
  retired_on date,
  created_at timestamptz not null default now(),
  created_by uuid default auth.uid(),
  updated_at timestamptz not null default now(),
  updated_by uuid,
  constraint models_pkey primary key (id),
  constraint models_provider_id_code_key unique (provider_id, code),
  constraint models_provider_id_fkey foreign key (provider_id) references ai.providers (id) on delete restrict,
  constraint models_code_check check (length(code) between 1 and 100),
  constraint models_name_check check (length(name) between 1 and 200),
  constraint models_context_tokens_check check (context_tokens > 0),
  constraint models_input_usd_per_mtok_check check (input_usd_per_mtok >= 0),
  constraint models_output_usd_per_mtok_check check (output_usd_per_mtok >= 0),
  constraint models_capabilities_check check (pg_column_size(capabilities) <= 4096)
);

comment on table ai.models is 'Rows are kept when a model is retired, because conversations reference them.';

comment on column ai.models.input_usd_per_mtok is 'US dollars per million input tokens.';

comment on column ai.models.output_usd_per_mtok is 'US dollars per million output tokens.';

create trigger aa_touch
  before update on ai.models
  for each row execute function core.touch();

create trigger zz_audit
  after insert or update or delete on ai.models
  for each row execute function audit.record_row(
    'full',
    'id',
    '',
    '',
    ''
  );

alter table ai.models enable row level security;

revoke all on ai.models from public;

-- migrate:down

drop table
  ai.models,
  ai.providers;
