-- The statement that removes the database %(name)s and ends its sessions.
select format('drop database if exists %%I with (force)', %(name)s::text) as statement
