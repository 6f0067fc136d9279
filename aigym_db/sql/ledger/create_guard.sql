-- Create the trigger function that keeps the event table append-only.
create or replace function aigym_db.reject_change() returns trigger
language plpgsql
set search_path = pg_catalog
as $$
begin
  raise exception 'aigym_db.event is append-only: % is rejected', tg_op
    using errcode = 'insufficient_privilege',
          hint = 'Record the correction as a new event.';
end
$$
