-- Does this table have this column?
select exists (
  select
  from pg_attribute
  where attrelid = to_regclass(%(table)s) and attname = %(column)s and attnum > 0 and not attisdropped)
