"""What a command has to say, and to whom: a person at a terminal, a log, or another program."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass, field
from typing import Any, Literal, TextIO

from aigym_db.errors import AigymError
from aigym_db.model.finding import Finding
from aigym_db.report import console, machine


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
    _passing: bool = False

    @property
    def prose(self) -> TextIO:
        """Where sentences for people go."""
        return self.out if self.format == "text" else self.err

    def say(self, text: str = "") -> None:
        """A line for people."""
        self._wipe()
        console.write(self.prose, text)

    def progress(self, text: str) -> None:
        """What is being done at the moment; on a terminal only, and gone with the next line."""
        if console.interactive(self.err):
            self.err.write(f"\r\x1b[2K{console.dim(text)}")
            self.err.flush()
            self._passing = True

    def print(self, text: str) -> None:
        """The product itself, e.g. SQL; on stdout whatever the format, unless that is JSON."""
        if self.format == "text":
            self.out.write(text)
            self.out.flush()

    def found(self, *findings: Finding) -> None:
        """Findings, shown at once to people."""
        for finding in findings:
            self._wipe()
            self.findings.append(finding)
            console.write(self.prose, console.finding(finding))
            if os.environ.get("GITHUB_ACTIONS") == "true":
                console.write(self.err, machine.github(finding))

    def refused(self, error: AigymError) -> None:
        """The refusal that ends the command."""
        self._wipe()
        console.write(self.err, console.error(error))
        self.findings.append(machine.as_finding(error))
        if os.environ.get("GITHUB_ACTIONS") == "true":
            console.write(self.err, machine.github(self.findings[-1]))

    def close(self, command: str, status: int) -> None:
        """Prints the JSON document, where one was asked for."""
        self._wipe()
        if self.format == "json":
            document = {
                "command": command,
                "ok": status == 0,
                "exit_status": status,
                "findings": [machine.as_json(finding) for finding in self.findings],
                **self.data,
            }
            self.out.write(json.dumps(document, indent=2, default=str, ensure_ascii=False) + "\n")
            self.out.flush()

    def _wipe(self) -> None:
        if self._passing:
            self.err.write("\r\x1b[2K")
            self.err.flush()
            self._passing = False
