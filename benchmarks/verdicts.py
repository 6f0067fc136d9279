"""`aigym-db test` on the reference database: all cells, after a change of one policy, and without a change.

Whole processes on a copy of the project.
"""

from __future__ import annotations

import itertools
import shutil
import sys
import tempfile
from pathlib import Path

from benchmarks.measure import Table, Timed, interleaved, process

ROOT = Path(__file__).parent.parent
FOLDERS = ("migrations", "policies", "schema", "seeds")
ROUNDS = 3
FULL, POLICY, NONE = "all cells", "one policy changed", "nothing changed"
GOALS_MS = {FULL: 8_000, POLICY: 1_500, NONE: 600}
"""On two idle cores."""


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for name in FOLDERS:
            shutil.copytree(ROOT / name, root / name)
        shutil.copy(ROOT / "pyproject.toml", root)
        test = [str(Path(sys.executable).with_name("aigym-db")), "-C", folder, "test", "--cache"]
        ways = {
            FULL: process([*test[:-1], "--no-cache"]),
            POLICY: changing(root / "policies/content.sql.j2", process(test)),
            NONE: process(test),
        }
        times = interleaved(ways, ROUNDS)
    print(
        Table("aigym-db test", times, notes=[f"goal, {name}: {goal} ms" for name, goal in GOALS_MS.items()])
    )


def changing(policies: Path, timed: Timed) -> Timed:
    """Return a timer that first adds a policy without effect to a table, another one each time."""
    text, numbers = policies.read_text(encoding="utf-8"), itertools.count()

    def changed() -> float:
        policies.write_text(
            f"{text}\ncreate policy prompts_extra on content.prompts for select to authenticated "
            f"using (false and {next(numbers)} = 0);\n",
            encoding="utf-8",
        )
        return timed()

    return changed


if __name__ == "__main__":
    main()
