"""Statements that block reads or writes."""
