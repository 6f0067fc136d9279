-- 0001 roles
-- from: schema/_roles.sql.j2
-- migrate:up role:none

-- schema/_roles.sql.j2

-- Roles and database privileges, before the first schema. Executed as the connecting role, not as aigym_owner.
-- Has no effect if an administrator has prepared everything, as in production.
-- Down: revokes the privileges in this database; roles are kept, because other databases of the cluster may use them.
-- The roles of the API. Supabase has these four.
do $$
begin
  if not exists (select from pg_catalog.pg_roles where rolname = 'anon') then
    create role anon nologin noinherit;
  end if;
exception
  when duplicate_object or unique_violation then
    null; -- created concurrently by the migration of another database
  when insufficient_privilege then
    raise exception 'role anon does not exist, and % cannot create it', current_user
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
    null; -- created concurrently by the migration of another database
  when insufficient_privilege then
    raise exception 'role authenticated does not exist, and % cannot create it', current_user
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
    null; -- created concurrently by the migration of another database
  when insufficient_privilege then
    raise exception 'role service_role does not exist, and % cannot create it', current_user
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
    null; -- created concurrently by the migration of another database
  when insufficient_privilege then
    raise exception 'role authenticator does not exist, and % cannot create it', current_user
      using errcode = 'insufficient_privilege',
            hint = 'Ask an administrator to run: create role authenticator login noinherit;';
end
$$;

-- Owners. Neither can log in: an owner that cannot connect needs no forced row-level security.
do $$
begin
  if not exists (select from pg_catalog.pg_roles where rolname = 'aigym_owner') then
    create role aigym_owner nologin;
  end if;
exception
  when duplicate_object or unique_violation then
    null; -- created concurrently by the migration of another database
  when insufficient_privilege then
    raise exception 'role aigym_owner does not exist, and % cannot create it', current_user
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
    null; -- created concurrently by the migration of another database
  when insufficient_privilege then
    raise exception 'role aigym_authz does not exist, and % cannot create it', current_user
      using errcode = 'insufficient_privilege',
            hint = 'Ask an administrator to run: create role aigym_authz nologin bypassrls;';
end
$$;

-- Operators. They can log in after an administrator has set a password or a certificate.
do $$
begin
  if not exists (select from pg_catalog.pg_roles where rolname = 'aigym_migrator') then
    create role aigym_migrator login;
    alter role aigym_migrator set idle_in_transaction_session_timeout = '60s';
    alter role aigym_migrator set lock_timeout = '2s';
  end if;
exception
  when duplicate_object or unique_violation then
    null; -- created concurrently by the migration of another database
  when insufficient_privilege then
    raise exception 'role aigym_migrator does not exist, and % cannot create it', current_user
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
    null; -- created concurrently by the migration of another database
  when insufficient_privilege then
    raise exception 'role aigym_job does not exist, and % cannot create it', current_user
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
    null; -- created concurrently by the migration of another database
  when insufficient_privilege then
    raise exception 'role aigym_auditor does not exist, and % cannot create it', current_user
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
    null; -- created concurrently by the migration of another database
  when insufficient_privilege then
    raise exception 'role aigym_monitor does not exist, and % cannot create it', current_user
      using errcode = 'insufficient_privilege',
            hint = 'Ask an administrator to run: create role aigym_monitor login;';
end
$$;

-- Optional, because before PostgreSQL 16 only a superuser creates a role with REPLICATION; hosted servers make backups
-- themselves.
-- allow bypassing-role: a dump without the rows that policies hide is no backup
do $$
begin
  if not exists (select from pg_catalog.pg_roles where rolname = 'aigym_backup') then
    create role aigym_backup login replication bypassrls;
  end if;
exception
  when duplicate_object or unique_violation then
    null; -- created concurrently by the migration of another database
  when insufficient_privilege then
    raise warning 'role aigym_backup does not exist, and % cannot create it', current_user
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
    null; -- created concurrently by the migration of another database
  when insufficient_privilege then
    raise exception 'role aigym_readonly does not exist, and % cannot create it', current_user
      using errcode = 'insufficient_privilege',
            hint = 'Ask an administrator to run: create role aigym_readonly login;';
end
$$;

-- An existing role with other attributes would change the effect of the policies, so it is rejected.
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
    raise exception 'roles do not have the attributes that the policies require: %', wrong
      using hint = 'Correct them with ALTER ROLE and run the migration again.';
  end if;
end
$$;

-- authenticator switches to one of the three.
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
    null; -- granted concurrently by the migration of another database
  when insufficient_privilege then
    raise exception 'authenticator is not a member of anon, and % cannot grant the membership', current_user
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
    null; -- granted concurrently by the migration of another database
  when insufficient_privilege then
    raise exception 'authenticator is not a member of authenticated, and % cannot grant the membership', current_user
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
    null; -- granted concurrently by the migration of another database
  when insufficient_privilege then
    raise exception 'authenticator is not a member of service_role, and % cannot grant the membership', current_user
      using errcode = 'insufficient_privilege',
            hint = 'Ask an administrator to run: grant service_role to authenticator;';
end
$$;

-- aigym_owner creates the functions in authz and changes their owner to aigym_authz, which requires membership.
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
    null; -- granted concurrently by the migration of another database
  when insufficient_privilege then
    raise exception 'aigym_owner is not a member of aigym_authz, and % cannot grant the membership', current_user
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
    null; -- granted concurrently by the migration of another database
  when insufficient_privilege then
    raise exception 'aigym_migrator is not a member of aigym_owner, and % cannot grant the membership', current_user
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
    null; -- granted concurrently by the migration of another database
  when insufficient_privilege then
    raise exception 'aigym_monitor is not a member of pg_monitor, and % cannot grant the membership', current_user
      using errcode = 'insufficient_privilege',
            hint = 'Ask an administrator to run: grant pg_monitor to aigym_monitor;';
end
$$;

do $$
begin
  if to_regrole('aigym_backup') is null then
    return;
  end if;

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
    null; -- granted concurrently by the migration of another database
  when insufficient_privilege then
    raise warning 'aigym_backup is not a member of pg_read_all_data, and % cannot grant the membership', current_user
      using errcode = 'insufficient_privilege',
            hint = 'Ask an administrator to run: grant pg_read_all_data to aigym_backup;';
end
$$;

-- aigym_owner creates the schemas; the migrating role switches to aigym_owner.
do $$
declare
-- Since PostgreSQL 16 the creator of a role is its member, but without the SET option.
  required_membership constant text :=
    case when current_setting('server_version_num')::integer < 160000 then 'member' else 'set' end;
begin
  begin
    if not has_database_privilege('aigym_owner', current_database(), 'create') then
      execute format('grant create on database %I to aigym_owner', current_database());
    end if;

    if not pg_has_role(session_user, 'aigym_owner', required_membership) then
      execute format('grant aigym_owner to %I', session_user);
    end if;
  exception
    when insufficient_privilege then
      null; -- missing privileges are reported below
  end;

  if not has_database_privilege('aigym_owner', current_database(), 'create') then
    raise exception 'aigym_owner lacks CREATE on database %, and % cannot grant it',
      current_database(), current_user
      using errcode = 'insufficient_privilege',
            hint = format(
              'Ask an administrator to run: grant create on database %I to aigym_owner;',
              current_database()
            );
  end if;

  if not pg_has_role(session_user, 'aigym_owner', required_membership) then
    raise exception '% is not a member of aigym_owner and cannot grant itself the membership', session_user
      using errcode = 'insufficient_privilege',
            hint = format('Ask an administrator to run: grant aigym_owner to %I;', session_user);
  end if;
end
$$;

-- The schema public is empty. Before PostgreSQL 15 PUBLIC could create objects in it.
do $$
begin
  if to_regnamespace('public') is null
    or not has_schema_privilege('public', 'public', 'create')
  then
    return;
  end if;

  revoke create on schema public from public;

  if has_schema_privilege('public', 'public', 'create') then
    raise exception 'PUBLIC has CREATE on schema public, and % cannot revoke it', current_user
      using errcode = 'insufficient_privilege',
            hint = 'Ask an administrator to run: revoke create on schema public from public;';
  end if;
end
$$;

-- PostgreSQL grants EXECUTE on new functions to PUBLIC; here each function grants it explicitly.
alter default privileges for role aigym_owner revoke execute on functions from public;

-- migrate:down role:none

alter default privileges for role aigym_owner grant execute on functions to public;

do $$
begin
  execute format('revoke create on database %I from aigym_owner', current_database());
end
$$;
