"""SECURITY DEFINER functions, and functions that policies call."""
