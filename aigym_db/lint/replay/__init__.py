"""Changing the chain as a statement changes a database."""
