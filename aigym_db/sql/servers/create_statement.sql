-- The statement that creates an empty database %(name)s, owned by %(owner)s if given.
select concat(
    'create database ', quote_ident(%(name)s::text), ' template template0 strategy file_copy', ' owner ' || quote_ident(%(owner)s::text)
) as statement
