-- How many rows of a table have something in a column, counted no further than a limit?
select count(*)
from (select from {table} where {column} limit {limit}) as found
