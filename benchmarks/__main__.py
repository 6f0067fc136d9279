"""Runs the benchmarks: `python -m benchmarks [NAME…]`; every module or package of this folder
with a `main` is one."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

HELPERS = {"__init__", "__main__", "launch", "measure", "process"}


def main() -> None:
    """Runs those that are named, or all. What follows `--` goes to each of them."""
    cut = sys.argv.index("--") if "--" in sys.argv else len(sys.argv)
    asked, options = sys.argv[1:cut], sys.argv[cut + 1 :]
    here = Path(__file__).parent
    found = {path.stem for path in here.glob("*.py")} | {
        path.parent.name for path in here.glob("*/__init__.py")
    }
    known = sorted(found - HELPERS)
    if unknown := sorted(set(asked) - set(known)):
        raise SystemExit(f"There is no benchmark {', '.join(unknown)}; there are: {', '.join(known)}.")
    for name in asked or known:
        module = import_module(f"benchmarks.{name}")
        what = " ".join((module.__doc__ or "").partition("\n\n")[0].split())
        print(f"\n== {name}: {what}\n", flush=True)
        sys.argv = [name, *options]
        module.main()


if __name__ == "__main__":
    main()
