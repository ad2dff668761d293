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

    One of them does it while the others wait. A database of a later version is left as it is:
    its tables still take what this version writes.

    Raises:
        Unavailable: the database does not answer.
    """
    steps = pending(database)
    if not steps:
        return

    def work(connection: Connection) -> None:
        database.exclude(connection, "migrations")
        if _lacking(connection):
            command.upgrade(_config(connection), "head")

    database.write(work)
    log.info("tables migrated", extra={"revision": steps[-1]})


def pending(database: Database) -> tuple[str, ...]:
    """Revisions that the database still lacks, oldest first.

    Raises:
        Unavailable: the database does not answer.
    """
    with database.reading() as connection:
        return _lacking(connection)


def _lacking(connection: Connection) -> tuple[str, ...]:
    done = MigrationContext.configure(connection).get_current_heads()
    script = ScriptDirectory.from_config(_config())
    known = {step.revision for step in script.walk_revisions()}
    if not known.issuperset(done):
        log.warning("the database is of a later version", extra={"revision": ", ".join(done)})
        return ()
    steps = script.iterate_revisions("head", done or "base")
    return tuple(step.revision for step in steps)[::-1]
