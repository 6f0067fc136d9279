"""The command line; everything it can be asked for is in `commands`."""

from __future__ import annotations

import gc

# Before the first import: imports make 50,000 objects that all stay, and Python would go through them for
# garbage again and again, for 10 ms of a command that has nothing to do.
gc.set_threshold(100_000, 10, 10)
