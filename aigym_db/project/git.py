"""The git repository that contains a project."""

from __future__ import annotations

import subprocess
from pathlib import Path


def head_commit(root: Path) -> str | None:
    """Return the id of the checked-out commit; None if `root` is not the top of a git repository."""
    folder = root / ".git"
    head = folder / "HEAD"
    try:
        text = head.read_text(encoding="ascii").strip()
        if not text.startswith("ref: "):
            return text or None
        loose = folder / text.removeprefix("ref: ")
        if loose.is_file():
            return loose.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return None
    # Only git reads packed refs.
    try:
        completed = subprocess.run(
            ["git", "rev-parse", "HEAD"],
            cwd=root,
            capture_output=True,
            text=True,
            timeout=5,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return completed.stdout.strip()
