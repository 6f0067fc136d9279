"""Statements that destroy rows."""
