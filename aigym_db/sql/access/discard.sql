-- Drop the statements and functions of an earlier trial in this session.
discard temporary
