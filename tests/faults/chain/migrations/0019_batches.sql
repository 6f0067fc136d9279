-- Every row changed once, a few pages at a time.
-- migrate:up batch:20
update app.copied set note = note || '!', done = true where not done;

-- migrate:down batch:20
update app.copied set note = rtrim(note, '!'), done = false where done;
