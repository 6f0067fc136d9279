"""Rules about allow comments."""
