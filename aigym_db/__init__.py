"""A database-first migration and schema toolkit for PostgreSQL."""

__version__ = "0.1.0"
