"""Functions that run with their owner's rights, and those policies call."""
