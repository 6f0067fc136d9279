"""Fixtures for users of aigym-db, and one test per answer of the access sheet."""
