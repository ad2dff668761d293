"""How much room the database takes, and how much is left."""

from __future__ import annotations

import shutil
from pathlib import Path

from sqlalchemy import text

from rootward.adapters.sql.engine import Database
from rootward.errors import Unavailable
from rootward.ports import Storage


def storage_of(database: Database) -> Storage:
    """What is known of the room of a database; the free room of a server is not.

    Raises:
        Unavailable: the database does not answer, or its folder is gone.
    """
    path = database.engine.url.database
    if database.engine.dialect.name != "sqlite":
        with database.reading() as connection:
            used = connection.scalar(text("SELECT pg_database_size(current_database())"))
        return Storage("postgresql", int(used or 0), None)
    file = Path(str(path))
    try:
        parts = [file, file.with_name(file.name + "-wal")]
        used = sum(part.stat().st_size for part in parts if part.exists())
        room = shutil.disk_usage(file.parent)
        return Storage("sqlite", used, room.free, room.used + room.free)
    except OSError as error:
        raise Unavailable(f"the folder of the database is gone: {error}") from error
