-- 0001 roles
-- from: schema/_roles.sql.j2
-- migrate:up role:none

-- schema/_roles.sql.j2

-- The roles of the database and what stands before the first schema. Runs as whoever connects, not as aigym_owner.
-- Everything here is a no-op where an administrator has prepared it, which is how production wants it.
-- Down: takes back what was granted in this database; roles stay, because other databases of the cluster may use them.
-- Everyone the API knows. Supabase has these four.
do $$
begin
  if not exists (select from pg_catalog.pg_roles where rolname = 'anon') then
    create role anon nologin noinherit;
  end if;
exception
  when duplicate_object or unique_violation then
    null; -- created this moment by the migration of another database
  when insufficient_privilege then
    raise exception 'the role anon does not exist and % may not create it', current_user
      using errcode = 'insufficient_privilege',
            hint = 'Ask an administrator to run: create role anon nologin noinherit;';
end
$$;

do $$
begin
  if not exists (select from pg_catalog.pg_roles where rolname = 'authenticated') then
    create role authenticated nologin noinherit;
    alter role authenticated set idle_in_transaction_session_timeout = '30s';
    alter role authenticated set statement_timeout = '8s';
  end if;
exception
  when duplicate_object or unique_violation then
    null; -- created this moment by the migration of another database
  when insufficient_privilege then
    raise exception 'the role authenticated does not exist and % may not create it', current_user
      using errcode = 'insufficient_privilege',
            hint = 'Ask an administrator to run: create role authenticated nologin noinherit;';
end
$$;

do $$
begin
  if not exists (select from pg_catalog.pg_roles where rolname = 'service_role') then
    create role service_role nologin noinherit bypassrls;
  end if;
exception
  when duplicate_object or unique_violation then
    null; -- created this moment by the migration of another database
  when insufficient_privilege then
    raise exception 'the role service_role does not exist and % may not create it', current_user
      using errcode = 'insufficient_privilege',
            hint = 'Ask an administrator to run: create role service_role nologin noinherit bypassrls;';
end
$$;

do $$
begin
  if not exists (select from pg_catalog.pg_roles where rolname = 'authenticator') then
    create role authenticator login noinherit;
  end if;
exception
  when duplicate_object or unique_violation then
    null; -- created this moment by the migration of another database
  when insufficient_privilege then
    raise exception 'the role authenticator does not exist and % may not create it', current_user
      using errcode = 'insufficient_privilege',
            hint = 'Ask an administrator to run: create role authenticator login noinherit;';
end
$$;

-- Who owns what. Neither ever logs in: an owner that cannot connect needs no forced row-level security.
do $$
begin
  if not exists (select from pg_catalog.pg_roles where rolname = 'aigym_owner') then
    create role aigym_owner nologin;
  end if;
exception
  when duplicate_object or unique_violation then
    null; -- created this moment by the migration of another database
  when insufficient_privilege then
    raise exception 'the role aigym_owner does not exist and % may not create it', current_user
      using errcode = 'insufficient_privilege',
            hint = 'Ask an administrator to run: create role aigym_owner nologin;';
end
$$;

do $$
begin
  if not exists (select from pg_catalog.pg_roles where rolname = 'aigym_authz') then
    create role aigym_authz nologin bypassrls;
  end if;
exception
  when duplicate_object or unique_violation then
    null; -- created this moment by the migration of another database
  when insufficient_privilege then
    raise exception 'the role aigym_authz does not exist and % may not create it', current_user
      using errcode = 'insufficient_privilege',
            hint = 'Ask an administrator to run: create role aigym_authz nologin bypassrls;';
end
$$;

-- Who runs the database. They log in once an administrator has given them a password or a certificate.
do $$
begin
  if not exists (select from pg_catalog.pg_roles where rolname = 'aigym_migrator') then
    create role aigym_migrator login;
    alter role aigym_migrator set idle_in_transaction_session_timeout = '60s';
    alter role aigym_migrator set lock_timeout = '2s';
  end if;
exception
  when duplicate_object or unique_violation then
    null; -- created this moment by the migration of another database
  when insufficient_privilege then
    raise exception 'the role aigym_migrator does not exist and % may not create it', current_user
      using errcode = 'insufficient_privilege',
            hint = 'Ask an administrator to run: create role aigym_migrator login;';
end
$$;

do $$
begin
  if not exists (select from pg_catalog.pg_roles where rolname = 'aigym_job') then
    create role aigym_job login;
  end if;
exception
  when duplicate_object or unique_violation then
    null; -- created this moment by the migration of another database
  when insufficient_privilege then
    raise exception 'the role aigym_job does not exist and % may not create it', current_user
      using errcode = 'insufficient_privilege',
            hint = 'Ask an administrator to run: create role aigym_job login;';
end
$$;

do $$
begin
  if not exists (select from pg_catalog.pg_roles where rolname = 'aigym_auditor') then
    create role aigym_auditor login;
  end if;
exception
  when duplicate_object or unique_violation then
    null; -- created this moment by the migration of another database
  when insufficient_privilege then
    raise exception 'the role aigym_auditor does not exist and % may not create it', current_user
      using errcode = 'insufficient_privilege',
            hint = 'Ask an administrator to run: create role aigym_auditor login;';
end
$$;

do $$
begin
  if not exists (select from pg_catalog.pg_roles where rolname = 'aigym_monitor') then
    create role aigym_monitor login;
  end if;
exception
  when duplicate_object or unique_violation then
    null; -- created this moment by the migration of another database
  when insufficient_privilege then
    raise exception 'the role aigym_monitor does not exist and % may not create it', current_user
      using errcode = 'insufficient_privilege',
            hint = 'Ask an administrator to run: create role aigym_monitor login;';
end
$$;

-- allow bypassing-role: a dump that leaves out rows somebody may not see is no backup
do $$
begin
  if not exists (select from pg_catalog.pg_roles where rolname = 'aigym_backup') then
    create role aigym_backup login replication bypassrls;
  end if;
exception
  when duplicate_object or unique_violation then
    null; -- created this moment by the migration of another database
  when insufficient_privilege then
    raise exception 'the role aigym_backup does not exist and % may not create it', current_user
      using errcode = 'insufficient_privilege',
            hint = 'Ask an administrator to run: create role aigym_backup login replication bypassrls;';
end
$$;

do $$
begin
  if not exists (select from pg_catalog.pg_roles where rolname = 'aigym_readonly') then
    create role aigym_readonly login;
  end if;
exception
  when duplicate_object or unique_violation then
    null; -- created this moment by the migration of another database
  when insufficient_privilege then
    raise exception 'the role aigym_readonly does not exist and % may not create it', current_user
      using errcode = 'insufficient_privilege',
            hint = 'Ask an administrator to run: create role aigym_readonly login;';
end
$$;

-- A role that exists with more or less than this would make the policies mean something else, so it is refused.
do $$
declare
  wrong text;
begin
  select string_agg(expected.rolname || ' ' || expected.must, '; ' order by expected.rolname)
  into wrong
  from (
    values
      ('anon', 'must not bypass row-level security', false, false),
      ('authenticated', 'must not bypass row-level security', false, false),
      ('service_role', 'must bypass row-level security and not log in', true, false),
      ('aigym_owner', 'must neither log in, be a superuser nor bypass row-level security', false, false),
      ('aigym_authz', 'must bypass row-level security and not log in', true, false)
  ) as expected (rolname, must, bypasses, logs_in)
  join pg_catalog.pg_roles as actual using (rolname)
  where actual.rolsuper
    or actual.rolbypassrls <> expected.bypasses
    or actual.rolcanlogin <> expected.logs_in;

  if wrong is not null then
    raise exception 'roles of this cluster are not what the policies rely on: %', wrong
      using hint = 'Correct them with ALTER ROLE and run the migration again.';
  end if;
end
$$;

-- The API role switches to one of the three.
do $$
begin
  if not exists (
    select
    from pg_catalog.pg_auth_members
    where member = 'authenticator'::regrole
      and roleid = 'anon'::regrole
  ) then
    grant anon to authenticator;
  end if;
exception
  when unique_violation then
    null; -- granted this moment by the migration of another database
  when insufficient_privilege then
    raise exception 'authenticator is not a member of anon and % may not make it one', current_user
      using errcode = 'insufficient_privilege',
            hint = 'Ask an administrator to run: grant anon to authenticator;';
end
$$;

do $$
begin
  if not exists (
    select
    from pg_catalog.pg_auth_members
    where member = 'authenticator'::regrole
      and roleid = 'authenticated'::regrole
  ) then
    grant authenticated to authenticator;
  end if;
exception
  when unique_violation then
    null; -- granted this moment by the migration of another database
  when insufficient_privilege then
    raise exception 'authenticator is not a member of authenticated and % may not make it one', current_user
      using errcode = 'insufficient_privilege',
            hint = 'Ask an administrator to run: grant authenticated to authenticator;';
end
$$;

do $$
begin
  if not exists (
    select
    from pg_catalog.pg_auth_members
    where member = 'authenticator'::regrole
      and roleid = 'service_role'::regrole
  ) then
    grant service_role to authenticator;
  end if;
exception
  when unique_violation then
    null; -- granted this moment by the migration of another database
  when insufficient_privilege then
    raise exception 'authenticator is not a member of service_role and % may not make it one', current_user
      using errcode = 'insufficient_privilege',
            hint = 'Ask an administrator to run: grant service_role to authenticator;';
end
$$;

-- Functions in authz are created by aigym_owner and handed to aigym_authz, which only a member may do.
do $$
begin
  if not exists (
    select
    from pg_catalog.pg_auth_members
    where member = 'aigym_owner'::regrole
      and roleid = 'aigym_authz'::regrole
  ) then
    grant aigym_authz to aigym_owner;
  end if;
exception
  when unique_violation then
    null; -- granted this moment by the migration of another database
  when insufficient_privilege then
    raise exception 'aigym_owner is not a member of aigym_authz and % may not make it one', current_user
      using errcode = 'insufficient_privilege',
            hint = 'Ask an administrator to run: grant aigym_authz to aigym_owner;';
end
$$;

do $$
begin
  if not exists (
    select
    from pg_catalog.pg_auth_members
    where member = 'aigym_migrator'::regrole
      and roleid = 'aigym_owner'::regrole
  ) then
    grant aigym_owner to aigym_migrator;
  end if;
exception
  when unique_violation then
    null; -- granted this moment by the migration of another database
  when insufficient_privilege then
    raise exception 'aigym_migrator is not a member of aigym_owner and % may not make it one', current_user
      using errcode = 'insufficient_privilege',
            hint = 'Ask an administrator to run: grant aigym_owner to aigym_migrator;';
end
$$;

do $$
begin
  if not exists (
    select
    from pg_catalog.pg_auth_members
    where member = 'aigym_monitor'::regrole
      and roleid = 'pg_monitor'::regrole
  ) then
    grant pg_monitor to aigym_monitor;
  end if;
exception
  when unique_violation then
    null; -- granted this moment by the migration of another database
  when insufficient_privilege then
    raise exception 'aigym_monitor is not a member of pg_monitor and % may not make it one', current_user
      using errcode = 'insufficient_privilege',
            hint = 'Ask an administrator to run: grant pg_monitor to aigym_monitor;';
end
$$;

do $$
begin
  if not exists (
    select
    from pg_catalog.pg_auth_members
    where member = 'aigym_backup'::regrole
      and roleid = 'pg_read_all_data'::regrole
  ) then
    grant pg_read_all_data to aigym_backup;
  end if;
exception
  when unique_violation then
    null; -- granted this moment by the migration of another database
  when insufficient_privilege then
    raise exception 'aigym_backup is not a member of pg_read_all_data and % may not make it one', current_user
      using errcode = 'insufficient_privilege',
            hint = 'Ask an administrator to run: grant pg_read_all_data to aigym_backup;';
end
$$;

-- aigym_owner creates the schemas, and whoever migrates works as aigym_owner.
do $$
declare
  -- Since PostgreSQL 16 whoever created a role is its member without being allowed to work as it.
  to_work_as constant text := case when current_setting('server_version_num')::integer < 160000 then 'member' else 'set' end;
begin
  begin
    if not has_database_privilege('aigym_owner', current_database(), 'create') then
      execute format('grant create on database %I to aigym_owner', current_database());
    end if;

    if not pg_has_role(session_user, 'aigym_owner', to_work_as) then
      execute format('grant aigym_owner to %I', session_user);
    end if;
  exception
    when insufficient_privilege then
      null; -- what is missing is said below
  end;

  if not has_database_privilege('aigym_owner', current_database(), 'create') then
    raise exception 'aigym_owner may not create schemas in database % and % may not allow it',
      current_database(), current_user
      using errcode = 'insufficient_privilege',
            hint = format(
              'Ask an administrator to run: grant create on database %I to aigym_owner;',
              current_database()
            );
  end if;

  if not pg_has_role(session_user, 'aigym_owner', to_work_as) then
    raise exception '% may not work as aigym_owner and may not allow it to itself', session_user
      using errcode = 'insufficient_privilege',
            hint = format('Ask an administrator to run: grant aigym_owner to %I;', session_user);
  end if;
end
$$;

-- The schema public stays empty. Databases born before PostgreSQL 15 let everybody create in it.
do $$
begin
  if to_regnamespace('public') is null
    or not has_schema_privilege('public', 'public', 'create')
  then
    return;
  end if;

  revoke create on schema public from public;

  if has_schema_privilege('public', 'public', 'create') then
    raise exception 'everybody may create objects in the schema public and % may not forbid it', current_user
      using errcode = 'insufficient_privilege',
            hint = 'Ask an administrator to run: revoke create on schema public from public;';
  end if;
end
$$;

-- PostgreSQL lets everybody run every new function. Ours say who may.
alter default privileges for role aigym_owner revoke execute on functions from public;

-- migrate:down role:none

alter default privileges for role aigym_owner grant execute on functions to public;

do $$
begin
  execute format('revoke create on database %I from aigym_owner', current_database());
end
$$;
