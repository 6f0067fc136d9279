"""Run a command and print its measurements: `python -I -S launch.py LIMIT_S OUTPUT WORD…`.

This is a separate small process because Linux includes the memory of the process that starts a program in the
peak memory of the program. For the same reason it imports little, and nothing of aigym-db.
"""

import os
import signal
import sys
import time


def main() -> None:
    """Print seconds, processor seconds, peak memory, exit status, and the number of timeouts."""
    limit_s, output, words = float(sys.argv[1]), sys.argv[2], sys.argv[3:]
    timeouts: list[int] = []
    log = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    null = os.open(os.devnull, os.O_RDONLY)
    files = [
        (os.POSIX_SPAWN_DUP2, null, 0),
        (os.POSIX_SPAWN_DUP2, log, 1),
        (os.POSIX_SPAWN_DUP2, log, 2),
    ]
    start = time.perf_counter()
    pid = os.posix_spawnp(words[0], words, os.environ, file_actions=files, setpgroup=0)

    def kill(number: int, frame: object) -> None:
        timeouts.append(number)
        os.killpg(pid, signal.SIGKILL)

    signal.signal(signal.SIGALRM, kill)
    signal.setitimer(signal.ITIMER_REAL, limit_s)
    _, status, used = os.wait4(pid, 0)
    seconds = time.perf_counter() - start
    status = os.waitstatus_to_exitcode(status)
    print(seconds, used.ru_utime + used.ru_stime, used.ru_maxrss, status, len(timeouts))


main()
