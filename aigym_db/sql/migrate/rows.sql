-- The number of rows, counted up to a limit.
{clause} select count(*)
from (select from {counting} limit {limit}) as counted
