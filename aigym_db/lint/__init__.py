"""Static analysis of SQL: rules checked against migrations, the state, or any SQL file."""
