"""The error tree.

    AigymError
    ├── ProjectError    exit status 2    the project or the command line is wrong; nothing was executed
    ├── GuardError      exit status 3    the command was rejected by a guard
    ├── ServerError     exit status 4    PostgreSQL reported an error; the transaction was rolled back
    ├── TamperedError   exit status 5    files, ledger and catalog do not agree
    ├── RunnerError     exit status 6    another aigym-db run holds the runner lock
    ├── ResumableError  exit status 7    interrupted inside a non-transactional migration; run again to resume
    └── StoppedError    exit status 130  stopped by a signal

Each class with a `code` is one error. The code and the name are part of the interface and never change; the
docstring is the page that `aigym-db explain CODE` prints. Message, place, detail and hint belong to the
instance.
"""

from __future__ import annotations

from collections.abc import Iterator

from aigym_db.errors.base import *  # noqa: F403
from aigym_db.errors.base import AigymError
from aigym_db.errors.guard import *  # noqa: F403
from aigym_db.errors.project import *  # noqa: F403
from aigym_db.errors.runner import *  # noqa: F403
from aigym_db.errors.server import *  # noqa: F403
from aigym_db.errors.tampered import *  # noqa: F403


def pages() -> Iterator[type[AigymError]]:
    """Return every error class that has a code of its own, sorted by code."""

    def descendants(kind: type[AigymError]) -> Iterator[type[AigymError]]:
        for child in kind.__subclasses__():
            if "code" in vars(child):
                yield child
            yield from descendants(child)

    return iter(sorted(descendants(AigymError), key=lambda kind: kind.code))
