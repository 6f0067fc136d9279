-- Rows, one statement after the other.
-- migrate:up
insert into app.accounts select i, 100 from generate_series(1, 50) as i where gate.row('fill', i);
insert into app.notes select i, i from generate_series(1, 50) as i where gate.row('note', i);

-- migrate:down
delete from app.notes where gate.row('unnote', id);
delete from app.accounts where gate.row('unfill', id);
