-- How many rows are there, counted no further than a limit?
{clause} select count(*)
from (select from {counting} limit {limit}) as found
