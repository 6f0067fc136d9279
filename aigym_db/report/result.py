"""What a command has to say, and to whom: a person at a terminal, a log, or another program."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal, TextIO

from aigym_db.errors import AigymError, UnusableFile
from aigym_db.model.finding import Finding
from aigym_db.report import console, machine, streams


@dataclass
class Report:
    """Collects what a command found and prints it in the chosen form.

    As text, lines appear as they are said. As JSON, one document appears on stdout at the end, and nothing
    else; what would have been prose goes to stderr.
    """

    format: Literal["text", "json"] = "text"
    findings: list[Finding] = field(default_factory=list)
    data: dict[str, Any] = field(default_factory=dict)
    out: TextIO = field(default_factory=lambda: sys.stdout)
    err: TextIO = field(default_factory=lambda: sys.stderr)
    must_finish: bool = False
    """Whether the command goes on where its output cannot be written, because it changes something."""
    _lost: OSError | None = None
    _passing: bool = False

    @property
    def prose(self) -> TextIO:
        """Where sentences for people go."""
        return self.out if self.format == "text" else self.err

    @property
    def canvas(self) -> TextIO:
        """stderr for bars, which draw whenever they like: what cannot be drawn is lost."""
        return streams.guarded(self.err, self._writing)

    def say(self, text: str = "") -> None:
        """A line for people."""
        self._write(self.prose, text)

    def alert(self, text: str) -> None:
        """A line on stderr, whatever the format."""
        self._write(self.err, text)

    def progress(self, text: str) -> None:
        """What is being done at the moment; on a terminal only, and gone with the next line."""
        if console.interactive(self.err):
            with self._writing(self.err):
                self.err.write(f"\r\x1b[2K{console.dim(text)}")
                self.err.flush()
            self._passing = True

    def print(self, text: str) -> None:
        """The product itself, e.g. SQL; on stdout whatever the format, unless that is JSON."""
        if self.format == "text":
            with self._writing(self.out):
                self.out.write(text)
                self.out.flush()

    def found(self, *findings: Finding) -> None:
        """Findings, shown at once to people."""
        for finding in findings:
            self.findings.append(finding)
            self.say(console.finding(finding))
            if os.environ.get("GITHUB_ACTIONS") == "true":
                self.alert(machine.github(finding))

    def refused(self, error: AigymError) -> None:
        """The refusal that ends the command."""
        self.alert(console.error(error))
        self.findings.append(machine.as_finding(error))
        if os.environ.get("GITHUB_ACTIONS") == "true":
            self.alert(machine.github(self.findings[-1]))

    def close(self, command: str, status: int) -> None:
        """Prints the JSON document, where one was asked for, and says when some of the output was lost."""
        self._wipe()
        if self.format == "json":
            document = {
                "command": command,
                "ok": status == 0,
                "exit_status": status,
                "findings": [machine.as_json(finding) for finding in self.findings],
                **self.data,
            }
            with self._writing(self.out):
                self.out.write(machine.document(document, self.out.encoding) + "\n")
                self.out.flush()
        if self._lost is not None:
            self.alert(console.lost(self._lost))

    @contextmanager
    def _writing(self, stream: TextIO) -> Iterator[None]:
        """Around what writes to one of the streams: what could not be written is lost, and the work goes on.

        Only where stdout is what the command is for, it ends: raises BrokenPipeError when the reader went
        away, else UnusableFile (AIG-P016).
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
                    hint="Make room where it goes, or send it elsewhere.",
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
