"""`up` whose reader goes away: it does what it was asked for."""

from __future__ import annotations

from tests.support.waiting import PROCESS_TIMEOUT_S


def test_up_goes_on_to_its_end_without_a_reader(up_once, spawn) -> None:
    popen = spawn(up_once.folder, "up")
    popen.stdout.close()

    code = popen.wait(timeout=PROCESS_TIMEOUT_S)

    assert code == 0
    assert "warning Some of the output could not be written: Broken pipe." in popen.stderr.read()
