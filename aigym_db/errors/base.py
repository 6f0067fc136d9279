"""The base classes, one for each exit status."""

from __future__ import annotations

from typing import Self

from aigym_db.model.source import Place


class AigymError(Exception):
    """An error that aigym-db reports: message, place, detail and hint."""

    code = "AIG-000"
    name = "error"
    """The error's name in JSON documents."""
    exit_status = 2

    def __init__(self, message: str, *, place: Place | None = None, detail: str = "", hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        """One sentence that names the object and the reason."""
        self.place = place
        self.detail = detail
        """Text of the server or of a library, possibly several lines. Never contains a password."""
        self.hint = hint
        """A sentence that begins with a verb."""

    def amended(
        self,
        *,
        message: str | None = None,
        place: Place | None = None,
        detail: str | None = None,
        hint: str | None = None,
        added_detail: str = "",
    ) -> Self:
        """Return a copy of this error with the given fields replaced, and lines appended to its detail."""
        if added_detail:
            detail = "\n".join(filter(None, (self.detail if detail is None else detail, added_detail)))
        fields = {"message": message, "place": place, "detail": detail, "hint": hint}
        replaced = {name: value for name, value in fields.items() if value is not None}
        error = type(self).__new__(type(self), message or self.message)
        error.__dict__.update({**self.__dict__, **replaced})
        return error


class ProjectError(AigymError):
    """The project or the command line is wrong."""

    exit_status = 2


class GuardError(AigymError):
    """The command was rejected by a guard."""

    exit_status = 3


class ServerError(AigymError):
    """PostgreSQL reported an error; the transaction was rolled back."""

    exit_status = 4


class TamperedError(AigymError):
    """Files, ledger and catalog do not agree."""

    exit_status = 5


class RunnerError(AigymError):
    """Another aigym-db run holds the runner lock."""

    exit_status = 6


class ResumableError(AigymError):
    """A non-transactional migration was interrupted between two statements; run again to resume."""

    exit_status = 7


class StoppedError(AigymError):
    """Stopped by a signal."""

    exit_status = 130
