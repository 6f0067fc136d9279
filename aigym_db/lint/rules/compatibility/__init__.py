"""Statements that break programs still running."""
