"""Statements that delete rows."""
