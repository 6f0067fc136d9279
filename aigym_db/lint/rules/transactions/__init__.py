"""Transactions and settings."""
