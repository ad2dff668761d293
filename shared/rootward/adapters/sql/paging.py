"""Pages of rows that are numbered as they come, by keyset."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Connection, Table, select

from rootward.errors import InvalidInput


def page(
    connection: Connection,
    table: Table,
    wanted: Sequence[ColumnElement[bool]],
    limit: int,
    cursor: str | None,
) -> tuple[list[str], str | None]:
    """Bodies of one page, the highest id first, and the cursor of the next one.

    Raises:
        InvalidInput: the page would hold nothing, or the cursor is not one of ours.
    """
    if limit < 1:
        raise InvalidInput(f"a page holds at least one item, not {limit}")
    behind = [] if cursor is None else [table.c.id < number_of(cursor)]
    rows = connection.execute(
        select(table.c.id, table.c.body)
        .where(*wanted, *behind)
        .order_by(table.c.id.desc())
        .limit(limit + 1)
    ).all()
    more = str(rows[limit - 1].id) if len(rows) > limit else None
    return [row.body for row in rows[:limit]], more


def number_of(cursor: str) -> int:
    """The id that a page ended with; raises InvalidInput for what is no cursor of ours."""
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) < 19):
        raise InvalidInput("the cursor is not one of ours; start again without one")
    return int(cursor)
