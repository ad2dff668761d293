"""How the tables came to be, one step a file; a step that was released never changes."""

from __future__ import annotations

import logging
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from rootward.adapters.sql.engine import Database

log = logging.getLogger(__name__)
logging.getLogger("alembic").setLevel(logging.WARNING)  # it tells of its own set-up at INFO


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def migrate(database: Database) -> None:
    """Bring the tables up to date, all or nothing; several processes may call it at once.

    Raises:
        Unavailable: the database does not answer.
    """
    steps = pending(database)
    if steps:
        database.write(lambda connection: command.upgrade(_config(connection), "head"))
        log.info("tables migrated", extra={"revision": steps[-1]})


def pending(database: Database) -> tuple[str, ...]:
    """Revisions that the database still lacks, oldest first.

    Raises:
        Unavailable: the database does not answer.
    """
    with database.reading() as connection:
        done = MigrationContext.configure(connection).get_current_heads()
    steps = ScriptDirectory.from_config(_config()).iterate_revisions("head", done or "base")
    return tuple(step.revision for step in steps)[::-1]
