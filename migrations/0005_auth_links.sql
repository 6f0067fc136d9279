-- 0005 auth links
-- from: schema/audit/_functions/record_password.sql.j2, schema/audit/_functions/record_session.sql.j2
-- migrate:up

-- schema/audit/_functions/record_password.sql.j2

-- Fires on auth.users: an error would fail the change, so it is reported as a warning.
create function audit.record_password()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  perform audit.log_security('password.changed', action => 'change_password', risk => 'medium', person => new.id);

  return null;
exception
  when others then
    raise warning 'the change of a password was not recorded: %', sqlerrm;
    return null;
end
$$;

comment on function audit.record_password() is 'Trigger bz_password of auth.users: records a new password.';

revoke all on function audit.record_password() from public;

-- schema/audit/_functions/record_session.sql.j2

-- Fires on auth.sessions: an error would fail the sign-in, so it is reported as a warning.
create function audit.record_session()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
declare
  session record;
begin
  if tg_op = 'DELETE' then
    session := old;
  else
    session := new;
  end if;

  insert into audit.sessions as known (session_id, user_id, ip_address, user_agent, aal, started_at, last_activity_at)
  select
    session.id,
    p.id,
    audit.network_of(session.ip),
    left(session.user_agent, 500),
    session.aal::text,
    coalesce(session.created_at, now()),
    coalesce(session.refreshed_at at time zone 'UTC', session.updated_at, session.created_at, now())
  from iam.profiles as p
  where p.id = session.user_id
  on conflict (session_id) do update
  set
    aal = excluded.aal,
    last_activity_at = greatest(known.last_activity_at, excluded.last_activity_at),
    ended_at = case when tg_op = 'DELETE' then now() end;

  if tg_op = 'INSERT' then
    perform audit.log_security('login.succeeded', action => 'sign_in', person => session.user_id);
  elsif tg_op = 'DELETE' then
    perform audit.log_security('login.ended', action => 'sign_out', person => session.user_id);
  end if;

  return null;
exception
  when others then
    raise warning 'the session % was not recorded: %', session.id, sqlerrm;
    return null;
end
$$;

comment on function audit.record_session() is
  'Trigger bz_session of auth.sessions: copies the session to audit.sessions and records sign-in and sign-out.';

revoke all on function audit.record_session() from public;

-- migrate:down

drop function audit.record_session();
drop function audit.record_password();
