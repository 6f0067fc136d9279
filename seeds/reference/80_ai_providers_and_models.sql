-- AI providers and models. Agreements and prices depend on contracts: they are inserted as none and zero and not changed
-- by a later run, which only updates the names.
insert into ai.providers as held (id, code, name, is_enabled)
values
  ('00000000-0000-4000-9000-000800000001', 'openai', 'OpenAI', false),
  ('00000000-0000-4000-9000-000800000002', 'anthropic', 'Anthropic', false),
  ('00000000-0000-4000-9000-000800000003', 'google', 'Google', false),
  ('00000000-0000-4000-9000-000800000004', 'self_hosted', 'Self-hosted', true)
on conflict (code) do update
set name = excluded.name
where held.name is distinct from excluded.name;

insert into ai.models as held (
  id, provider_id, code, name, context_tokens, input_usd_per_mtok, output_usd_per_mtok, capabilities, is_enabled
)
select
  wanted.id::uuid, p.id, wanted.code, wanted.name, wanted.context_tokens, 0, 0, wanted.capabilities,
  p.code = 'self_hosted'
from (
  values
    ('00000000-0000-4000-9000-000810000001', 'openai', 'fast', 'Fast', 128000, array['chat', 'tools']),
    ('00000000-0000-4000-9000-000810000002', 'openai', 'strong', 'Strong', 128000, array['chat', 'tools', 'vision']),
    ('00000000-0000-4000-9000-000810000003', 'anthropic', 'fast', 'Fast', 200000, array['chat', 'tools']),
    ('00000000-0000-4000-9000-000810000004', 'anthropic', 'strong', 'Strong', 200000, array['chat', 'tools', 'vision']),
    ('00000000-0000-4000-9000-000810000005', 'google', 'fast', 'Fast', 1000000, array['chat', 'tools']),
    ('00000000-0000-4000-9000-000810000006', 'google', 'strong', 'Strong', 1000000, array['chat', 'tools', 'vision']),
    ('00000000-0000-4000-9000-000810000007', 'self_hosted', 'fast', 'Fast', 32000, array['chat']),
    ('00000000-0000-4000-9000-000810000008', 'self_hosted', 'embedding', 'Embedding', 8000, array['embedding'])
) as wanted (id, provider_code, code, name, context_tokens, capabilities)
join ai.providers as p on p.code = wanted.provider_code
on conflict (provider_id, code) do update
set name = excluded.name
where held.name is distinct from excluded.name;
