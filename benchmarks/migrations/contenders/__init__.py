"""Everybody who takes part, one file each."""
