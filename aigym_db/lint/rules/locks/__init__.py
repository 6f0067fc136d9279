"""Statements that make others wait."""
