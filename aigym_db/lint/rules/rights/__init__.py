"""Privileges, roles and views."""
