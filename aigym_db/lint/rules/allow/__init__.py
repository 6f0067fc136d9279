"""The allow comments themselves."""
