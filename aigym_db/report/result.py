"""The output of a command: text for a terminal or a log, or one JSON document."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TextIO

from aigym_db.errors import AigymError, UnusableFile
from aigym_db.model.finding import Finding
from aigym_db.report import console, streams

if TYPE_CHECKING:
    from aigym_db.report.documents import CommandDocument, Results


@dataclass
class Report:
    """Collects the results of a command and prints them in the requested format.

    Text is printed line by line. JSON is one document on stdout at the end; text then goes to stderr.
    """

    format: Literal["text", "json"] = "text"
    findings: list[Finding] = field(default_factory=list)
    out: TextIO = field(default_factory=lambda: sys.stdout)
    err: TextIO = field(default_factory=lambda: sys.stderr)
    must_finish: bool = False
    """True after `require_completion`."""
    command: str | None = None
    """The command that runs; None until it is known."""
    _results: list[Callable[[], Results]] = field(default_factory=list)
    _lost: OSError | None = None
    _passing: bool = False

    @property
    def prose(self) -> TextIO:
        """The stream for text: stdout, or stderr if the format is JSON."""
        return self.out if self.format == "text" else self.err

    @property
    def canvas(self) -> TextIO:
        """stderr for progress bars; write errors are recorded instead of raised."""
        return streams.guarded(self.err, self._writing)

    def print_line(self, text: str = "") -> None:
        """Print a line of text."""
        self._write(self.prose, text)

    def alert(self, text: str) -> None:
        """Print a line on stderr, in either format."""
        self._write(self.err, text)

    def progress(self, text: str) -> None:
        """Print the current activity, on a terminal only; the next line replaces it."""
        if console.interactive(self.err):
            with self._writing(self.err):
                self.err.write(f"\r\x1b[2K{console.dim(text)}")
                self.err.flush()
            self._passing = True

    def print(self, text: str) -> None:
        """Print the result itself, e.g. SQL, on stdout; nothing if the format is JSON."""
        if self.format == "text":
            with self._writing(self.out):
                self.out.write(text)
                self.out.flush()

    def add_findings(self, *findings: Finding) -> None:
        """Record findings and print them."""
        for finding in findings:
            self.findings.append(finding)
            self.print_line(console.finding(finding))
            self._annotate(finding)

    def add_error(self, error: AigymError) -> None:
        """Record the error that ends the command and print it."""
        from aigym_db.report.machine import as_finding

        self.alert(console.error(error))
        self.findings.append(as_finding(error))
        self._annotate(self.findings[-1])

    def begin(self, command: str) -> None:
        """Record the command that runs."""
        self.command = command

    def add_results(self, results: Callable[[], Results]) -> None:
        """Add results to the JSON document; the function is called at the end, and only for that format."""
        self._results.append(results)

    def require_completion(self) -> None:
        """Continue from now on if the output cannot be written: the command is about to change something."""
        self.must_finish = True

    def document(self, status: int) -> CommandDocument:
        """Return the JSON document of the command, which ends with this exit status."""
        from aigym_db.report import entries
        from aigym_db.report.documents import CommandDocument

        document = CommandDocument(
            command=self.command,
            ok=status == 0,
            exit_status=status,
            findings=[entries.finding(finding) for finding in self.findings],
        )
        for results in self._results:
            document |= results()  # type: ignore[typeddict-item]
        return document

    def close(self, status: int) -> None:
        """Print the JSON document if requested, and a warning if output was lost."""
        self._wipe()
        if self.format == "json":
            from aigym_db.report.machine import document

            text = document(self.document(status), self.out.encoding)
            with self._writing(self.out):
                self.out.write(f"{text}\n")
                self.out.flush()
        if self._lost is not None:
            self.alert(console.lost(self._lost))

    def _annotate(self, finding: Finding) -> None:
        """Print a finding as an annotation if the command runs in a workflow of GitHub."""
        if os.environ.get("GITHUB_ACTIONS") == "true":
            from aigym_db.report.machine import github

            self.alert(github(finding))

    @contextmanager
    def _writing(self, stream: TextIO) -> Iterator[None]:
        """Record write errors of a stream, so that a command that changes something runs to its end.

        For other commands, raise BrokenPipeError if the reader of stdout closed the pipe, or UnusableFile
        (AIG-P016).
        """
        try:
            yield
        except OSError as error:
            streams.silence(stream)
            if self.must_finish or stream is self.err:
                self._lost = self._lost or error
            elif isinstance(error, BrokenPipeError):
                raise
            else:
                raise UnusableFile(
                    f"The output cannot be written: {error.strerror or error}.",
                    hint="Free disk space, or redirect the output to another file.",
                ) from None

    def _write(self, stream: TextIO, text: str) -> None:
        self._wipe()
        with self._writing(stream):
            console.write(stream, text)

    def _wipe(self) -> None:
        if self._passing:
            with self._writing(self.err):
                self.err.write("\r\x1b[2K")
                self.err.flush()
            self._passing = False
