-- A partition leaves beside readers.
-- migrate:up transaction:false
alter table app.measures detach partition app.measures_1 concurrently;

-- migrate:down
alter table app.measures attach partition app.measures_1 for values from (0) to (26);
