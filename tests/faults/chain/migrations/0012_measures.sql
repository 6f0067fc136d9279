-- A table in two partitions, filled.
-- migrate:up
create table app.measures (id int, taken_on int) partition by range (taken_on);
create table app.measures_1 partition of app.measures for values from (0) to (26);
create table app.measures_2 partition of app.measures for values from (26) to (99);
insert into app.measures select i, i from generate_series(1, 50) as i where gate.row('measure', i);

-- migrate:down
drop table app.measures;
