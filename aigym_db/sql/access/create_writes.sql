-- Writes of actors; filled by COPY. `setups` delete the rows that `bodies` insert. `named` is a query that is true if the
-- write names another person; if it is null, the reach is compared.
create temporary table aigym_write (
    id int primary key,
    role text not null,
    claims text not null,
    settings jsonb not null,
    actor jsonb not null,
    setups text[] not null,
    bodies text[] not null,
    named text
)
