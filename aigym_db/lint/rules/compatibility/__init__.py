"""Changes that break running programs."""
