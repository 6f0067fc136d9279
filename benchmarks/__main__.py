"""Run benchmarks: `python -m benchmarks [NAME…]`. Each module here that has a `main` is a benchmark."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

HELPERS = {"__init__", "__main__", "launch", "measure", "process", "reference"}


def main() -> None:
    """Run the named benchmarks, or all. Arguments after `--` are passed to each of them."""
    separator = sys.argv.index("--") if "--" in sys.argv else len(sys.argv)
    names, options = sys.argv[1:separator], sys.argv[separator + 1 :]
    here = Path(__file__).parent
    modules = {path.stem for path in here.glob("*.py")} | {
        path.parent.name for path in here.glob("*/__init__.py")
    }
    known = sorted(modules - HELPERS)
    if unknown := sorted(set(names) - set(known)):
        raise SystemExit(f"There is no benchmark {', '.join(unknown)}; there are: {', '.join(known)}.")
    for name in names or known:
        module = import_module(f"benchmarks.{name}")
        summary = " ".join((module.__doc__ or "").partition("\n\n")[0].split())
        print(f"\n== {name}: {summary}\n", flush=True)
        sys.argv = [name, *options]
        module.main()


if __name__ == "__main__":
    main()
