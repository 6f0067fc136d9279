"""Write the rows of a detached partition to a compressed file."""

from __future__ import annotations

import gzip
import hashlib
import os
from pathlib import Path
from typing import Any

from psycopg import Connection

from aigym_db.errors import UnusableFile


def write_archive(connection: Connection[Any], table: str, path: Path) -> tuple[int, str]:
    """Write all rows of a table to a CSV file with a header, compressed by gzip.

    Return the number of rows and the SHA-256 sum of the file, which exists only if it is complete. Raise
    UnusableFile (AIG-P016) if it cannot be written.
    """
    part = path.with_name(f"{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with part.open("wb") as file:
            # Without a time in the header, equal rows make equal files.
            with (
                gzip.GzipFile("", "wb", fileobj=file, mtime=0) as compressed,
                connection.cursor() as cursor,
            ):
                with cursor.copy(f"copy {table} to stdout (format csv, header)".encode()) as copy:
                    for block in copy:
                        compressed.write(block)
                rows = cursor.rowcount
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        raise UnusableFile(
            f"The archive {path} cannot be written: {error.strerror}.",
            hint="Check the setting `partition_archive`, and the space on its disk.",
        ) from error
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return rows, digest
