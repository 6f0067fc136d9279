"""`up` with a closed output pipe."""

from __future__ import annotations

from tests.support.waiting import PROCESS_TIMEOUT_S


def test_up_completes_after_its_output_pipe_was_closed(up_once, spawn) -> None:
    popen = spawn(up_once.folder, "up")
    popen.stdout.close()

    code = popen.wait(timeout=PROCESS_TIMEOUT_S)

    assert code == 0
    assert "warning Some of the output could not be written: Broken pipe." in popen.stderr.read()
