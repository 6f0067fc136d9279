-- Blocks every session at the point that gate.target names while a test holds the advisory lock 777, in a statement, a
-- transaction or its COMMIT. Sessions at other points are not affected.
create schema gate;
grant usage on schema gate to public;

create table gate.target (point text);
grant select on gate.target to public;

create function gate.come(here text) returns void language plpgsql set search_path = pg_catalog as $$
begin
  perform from gate.target where point = here;
  if found then
    perform pg_advisory_xact_lock_shared(777);
  end if;
end $$;

-- A condition that is true for every row, with a point at the first and at the 25th of 50 rows.
create function gate.row(statement text, id int) returns boolean language plpgsql set search_path = pg_catalog as $$
begin
  if id in (1, 25) then
    perform gate.come(format('row %s %s', statement, id));
  end if;
  return true;
end $$;

-- A point at the start and at the end of each DDL statement, named by the last finished migration, by the number of
-- finished non-transactional statements of the next one (0: none), and by the statement's number in its transaction. A
-- setting keeps that number: a sequence would assign a transaction id, and DROP INDEX CONCURRENTLY must run before one is
-- assigned. REINDEX fires these event triggers since 17 only, so it is left out on every version.
create function gate.define() returns event_trigger language plpgsql security definer set search_path = pg_catalog as $$
declare
  counter text := 'gate.' || tg_event;
  number int := coalesce(nullif(current_setting(counter, true), ''), '0')::int + 1;
  behind aigym_db.event;
  done int;
begin
  if tg_tag <> 'REINDEX' then
    perform set_config(counter, number::text, true);
    select * into behind from aigym_db.event where kind in ('start', 'apply', 'rollback') order by id desc limit 1;
    select count(*) into done from aigym_db.event where kind = 'done' and id > behind.id;
    perform gate.come(format('%s %s.%s.%s', tg_event, coalesce(behind.version, 0), done, number));
  end if;
end $$;

-- A point before each insert into the ledger, and one in the COMMIT of its transaction.
create function gate.event() returns trigger language plpgsql set search_path = pg_catalog as $$
begin
  perform gate.come(concat_ws(' ', case tg_when when 'BEFORE' then 'insert' else 'commit' end, new.kind, new.version, new.statement));
  return new;
end $$;

create trigger gate_insert before insert on aigym_db.event for each row execute function gate.event();
create constraint trigger gate_commit after insert on aigym_db.event deferrable initially deferred for each row execute function gate.event();
create event trigger gate_begins on ddl_command_start execute function gate.define();
create event trigger gate_ends on ddl_command_end execute function gate.define();
