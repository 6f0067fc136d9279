-- Where everything of the chain lives.
-- migrate:up
create schema app;

-- migrate:down
drop schema app;
