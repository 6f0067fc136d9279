-- The calls and the actor of each; filled by COPY. `before` is a list of statements with the actor of each,
-- `before_policed` whether policies apply to one of them. `actors` are those whose reach is compared, by name.
create temporary table aigym_call (
    id int primary key,
    role text not null,
    claims text not null,
    settings jsonb not null,
    before jsonb not null,
    before_policed boolean not null,
    body text not null,
    actors jsonb not null
)
