"""Grants, roles and views."""
