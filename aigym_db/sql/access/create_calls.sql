-- The calls and the actor of each; filled by COPY.
create temporary table if not exists aigym_call (
    id int primary key,
    role text not null,
    claims text not null,
    settings jsonb not null,
    body text not null
)
