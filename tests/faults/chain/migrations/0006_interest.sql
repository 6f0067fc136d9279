-- Run twice or by half, it shows in the rows.
-- migrate:up
update app.accounts set balance = balance + 1 where gate.row('add', id);
update app.accounts set balance = balance * 2 where gate.row('double', id);

-- migrate:down
update app.accounts set balance = balance / 2 where gate.row('halve', id);
update app.accounts set balance = balance - 1 where gate.row('subtract', id);
