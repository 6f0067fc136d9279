-- 0001 roles
-- from: schema/_roles.sql.j2
-- migrate:up role:none

-- schema/_roles.sql.j2

-- Roles belong to the whole server, so each is created only where it does not exist yet.
-- An administrator may have made them beforehand: then nothing here does anything.
do $$
begin
  if pg_catalog.to_regrole('app_owner') is null then
    create role app_owner nologin;
  end if;
exception
  when duplicate_object or unique_violation then
    null; -- made this moment by the migration of another database
end
$$;

do $$
begin
  if pg_catalog.to_regrole('app_anonymous') is null then
    create role app_anonymous nologin;
  end if;
exception
  when duplicate_object or unique_violation then
    null; -- made this moment by the migration of another database
end
$$;

do $$
begin
  if pg_catalog.to_regrole('app_user') is null then
    create role app_user nologin;
  end if;
exception
  when duplicate_object or unique_violation then
    null; -- made this moment by the migration of another database
end
$$;

-- Migrations act as app_owner, which may create schemas in this database and nothing else.
do $$
begin
  if not pg_catalog.has_database_privilege('app_owner', pg_catalog.current_database(), 'create') then
    execute format('grant create on database %I to app_owner', pg_catalog.current_database());
  end if;

  if not pg_catalog.pg_has_role(session_user, 'app_owner', 'member') then
    execute format('grant app_owner to %I', session_user);
  end if;
end
$$;

alter default privileges for role app_owner revoke execute on functions from public;

-- migrate:down role:none

alter default privileges for role app_owner grant execute on functions to public;
do $$ begin execute format('revoke create on database %I from app_owner', current_database()); end $$;
