"""The line, units or statement that run `aigym-db partitions apply` every night."""

from __future__ import annotations

import shlex
from typing import Literal

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from aigym_db.errors import BadCommandLine
from aigym_db.partitions.strategy import Provided

Scheduler = Literal["cron", "systemd", "pg_cron"]

_SERVICE = """\
# /etc/systemd/system/aigym-db-partitions.service
[Unit]
Description=Create, detach, archive and drop partitions
After=network-online.target
Wants=network-online.target

[Service]
Type=oneshot
ExecStart={command}

# /etc/systemd/system/aigym-db-partitions.timer
[Unit]
Description=Run aigym-db-partitions.service every night

[Timer]
OnCalendar=*-*-* 03:17:00 UTC
Persistent=true

[Install]
WantedBy=timers.target
"""

_PG_CRON = """\
-- Creates partitions ahead, and nothing else: `aigym-db partitions apply` detaches, archives and drops them.
select cron.schedule('aigym-db partitions', '17 3 * * *', 'select ops.ensure_all_partitions()');
"""


def command(program: str, folder: str, dsn: str | None) -> str:
    """Return the shell command of a nightly run; the password of the connection string is left out.

    libpq reads it from a password file. `dsn` is None for the local database of the project.
    """
    words = [program, "-C", folder]
    if dsn is not None:
        known = {name: value for name, value in conninfo_to_dict(dsn).items() if "password" not in name}
        words += ["--database", make_conninfo("", **known)]
    return shlex.join([*words, "partitions", "apply", "--lock-wait", "3600"])


def schedule(scheduler: Scheduler, command: str, provided: Provided | None) -> str:
    """Return the configuration of a scheduler that runs a command at 03:17 every night.

    `provided` is what the database provides; cron and systemd do not need it. Raise BadCommandLine (AIG-P013)
    for pg_cron if the database has no function `ops.ensure_all_partitions()`.
    """
    if scheduler == "cron":
        # In a crontab, an unescaped % ends the command.
        return f"17 3 * * *  {command.replace('%', chr(92) + '%')}\n"
    if scheduler == "systemd":
        # In a unit, % and $ begin a specifier and a variable.
        return _SERVICE.format(command=command.replace("%", "%%").replace("$", "$$"))
    if provided is None or not provided.has_job:
        raise BadCommandLine(
            "pg_cron runs SQL, and the database has no function ops.ensure_all_partitions().",
            hint="Use `--print cron` or `--print systemd`.",
        )
    return _PG_CRON
