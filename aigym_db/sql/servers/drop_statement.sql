-- The statement that removes the database %(name)s and whoever is connected to it.
select format('drop database if exists %%I with (force)', %(name)s::text) as statement
