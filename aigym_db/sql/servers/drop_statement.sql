-- The statement that drops the database %(name)s and terminates its sessions.
select format('drop database if exists %%I with (force)', %(name)s::text) as statement
