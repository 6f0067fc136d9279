"""Starts one command and prints what it took: `python -I -S launch.py LIMIT_S OUTPUT WORD…`.

A process of its own, and a small one: Linux counts the memory of whoever starts a program into the most that
the program ever held. It imports little for that reason, and nothing of ours.
"""

import os
import signal
import sys
import time


def main() -> None:
    """Prints seconds, processor seconds, peak memory, exit status, whether it was ended."""
    limit_s, output, words = float(sys.argv[1]), sys.argv[2], sys.argv[3:]
    late: list[int] = []
    said = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    nothing = os.open(os.devnull, os.O_RDONLY)
    files = [
        (os.POSIX_SPAWN_DUP2, nothing, 0),
        (os.POSIX_SPAWN_DUP2, said, 1),
        (os.POSIX_SPAWN_DUP2, said, 2),
    ]
    began = time.perf_counter()
    pid = os.posix_spawnp(words[0], words, os.environ, file_actions=files, setpgroup=0)

    def end(number: int, frame: object) -> None:
        late.append(number)
        os.killpg(pid, signal.SIGKILL)

    signal.signal(signal.SIGALRM, end)
    signal.setitimer(signal.ITIMER_REAL, limit_s)
    _, status, used = os.wait4(pid, 0)
    seconds = time.perf_counter() - began
    status = os.waitstatus_to_exitcode(status)
    print(seconds, used.ru_utime + used.ru_stime, used.ru_maxrss, status, len(late))


main()
