-- The statements, the actor of each, and the rows it is expected to reach; filled by COPY.
create temporary table aigym_attempt (
    id int primary key,
    setup_id int not null,
    setup text,
    role text not null,
    claims text not null,
    settings jsonb not null,
    body text not null,
    observe text,
    success text[],
    passed text[],
    each_body text[],
    each_key text[],
    expected text[] not null
)
