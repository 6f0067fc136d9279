"""The command line; one module per command in `commands`."""

from __future__ import annotations

import gc

# Before the first import: imports create 50,000 permanent objects. With the default threshold the garbage
# collector scans them repeatedly, which takes 10 ms of a no-op command.
gc.set_threshold(100_000, 10, 10)
