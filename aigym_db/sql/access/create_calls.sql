-- The calls and the actor of each; filled by COPY. `reach` is the function that returns the reach of the role.
create temporary table aigym_call (
    id int primary key,
    role text not null,
    claims text not null,
    settings jsonb not null,
    before text,
    body text not null,
    reach text
)
