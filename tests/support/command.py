"""A project in a folder, and commands that run on it: in this process, or in one of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import jsonschema
import pytest

from aigym_db.cli.main import status
from tests.support.waiting import PROCESS_TIMEOUT_S

PROGRAM = [sys.executable, "-W", "error", "-c", "from aigym_db.cli.main import run; run()"]
"""The command line of `aigym-db`, in which a warning is an error."""
SCHEMAS = Path(__file__).parents[2] / "docs/schemas"
_FOREIGN = ("PG", "CI", "GITHUB_", "NO_COLOR", "DATABASE_URL", "PYTHONUNBUFFERED", "PYTHONIOENCODING")


class Result(NamedTuple):
    """The exit status of a command, and what it wrote."""

    status: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """Standard output as JSON; fails unless it is one document, with the schema of its command."""
        document = json.loads(self.out)
        if document["command"] is not None:
            schema = (SCHEMAS / f"{document['command']}.json").read_text(encoding="utf-8")
            jsonschema.Draft202012Validator(json.loads(schema)).validate(document)
        return document


def environment(**variables: str) -> dict[str, str]:
    """The environment without the variables that change what commands do, and with these."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)}
    return {**kept, "TERM": "xterm", **variables}


class RunningCommand(subprocess.Popen[str]):
    """A command in a process of its own."""

    def result(self, timeout_s: float = PROCESS_TIMEOUT_S) -> Result:
        """Wait for the end and return the result; a process that does not end in time is killed."""
        try:
            out, err = self.communicate(timeout=timeout_s)
        except subprocess.TimeoutExpired as expired:
            output = "\n".join(self.end())
            raise AssertionError(f"still running after {timeout_s} s, with the output\n{output}") from expired
        return Result(self.returncode, out or "", err or "")

    def end(self) -> tuple[str, str]:
        """Kill the process if it still runs, close its pipes and return what it wrote."""
        if self.poll() is None:
            self.kill()
        out, err = self.communicate()
        return out or "", err or ""

    def output_until(self, words: str) -> str:
        """Read standard output until a line contains these words, and return what was read."""
        output = ""
        assert self.stdout is not None
        while words not in output:
            line = self.stdout.readline()
            assert line, f"ended without {words!r}: {output}"
            output += line
        return output


class ProjectFolder:
    """The folder of a project, with a database that its commands work on unless they name another."""

    def __init__(self, folder: Path, dsn: str | None = None) -> None:
        self.folder = folder
        self.dsn = dsn
        self.started: list[RunningCommand] = []

    def write(self, file: str, text: str) -> None:
        """Write a file of the project."""
        path = self.folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="")

    def write_all(self, files: Mapping[str, str]) -> None:
        """Write several files; a text that begins with `…` is appended to its file."""
        for file, text in files.items():
            (self.append if text.startswith("…") else self.write)(file, text.removeprefix("…"))

    def append(self, file: str, text: str) -> None:
        self.write(file, (self.folder / file).read_text(encoding="utf-8") + text)

    def replace(self, file: str, before: str, after: str) -> None:
        """Replace the first occurrence of a text in a file."""
        text = (self.folder / file).read_text(encoding="utf-8")
        assert before in text
        self.write(file, text.replace(before, after, 1))

    def migration(
        self,
        name: str,
        up: str,
        down: str | None = "select 1;",
        *,
        options: str = "",
        down_options: str = "",
        frozen: bool = False,
    ) -> None:
        """Write a migration; `name` as in the file's name. It is irreversible if `down` is None."""
        up_options, down_options = (f" {text}" if text else "" for text in (options, down_options))
        end = " irreversible: a test\n" if down is None else f"{down_options}\n{down}\n"
        self.write(
            f"migrations/{name}.sql",
            f"-- migrate:up{up_options}\n{up}\n-- migrate:down{end}",
        )
        if frozen:
            self.freeze()

    def freeze(self) -> None:
        assert status(["-C", str(self.folder), "freeze"]) == 0

    def contents(self) -> dict[str, bytes]:
        """Every file of the project except those of its local server."""
        return {
            str(path.relative_to(self.folder)): path.read_bytes()
            for path in self.folder.rglob("*")
            if path.is_file() and ".aigym-db" not in path.parts
        }

    def command(self, *words: str) -> list[str]:
        """The command line for these words."""
        return [*PROGRAM, "-C", str(self.folder), *words]

    def environment(self, dsn: str | None = None, **variables: str) -> dict[str, str]:
        """The environment of a command, which names the database."""
        database = dsn or self.dsn
        return environment(**({"DATABASE_URL": database} if database else {}), **variables)

    def start(
        self, *words: str, dsn: str | None = None, variables: Mapping[str, str] | None = None, **more: Any
    ) -> RunningCommand:
        """Start a command; its output can be read unless `more`, arguments of Popen, redirect it."""
        streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        command = RunningCommand(
            self.command(*words),
            env=self.environment(dsn, **(variables or {})),
            **{**streams, "encoding": "utf-8", **more},
        )
        self.started.append(command)
        return command

    def run(self, *words: str, **more: Any) -> Result:
        """Run a command in a process of its own."""
        return self.start(*words, **more).result()

    def end(self) -> None:
        """Kill the commands that still run, and close their pipes."""
        for command in self.started:
            command.end()


class ProjectInProcess(ProjectFolder):
    """The same; calling it runs a command in this process, which is fifty times as fast as a process."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        super().__init__(folder)
        self._capsys = capsys

    def __call__(self, *words: str) -> Result:
        """Run a command in this process."""
        self._capsys.readouterr()
        code = status(["-C", str(self.folder), *words])
        printed = self._capsys.readouterr()
        return Result(code, printed.out, printed.err)
