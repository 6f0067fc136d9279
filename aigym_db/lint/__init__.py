"""What is wrong with SQL before it runs: rules over a chain of migrations, or over any SQL file."""
