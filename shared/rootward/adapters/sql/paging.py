"""Pages of rows that are numbered as they come, by keyset."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, Table, select

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
    rows, more = rows_of_page(connection, select(table.c.id, table.c.body), wanted, limit, cursor)
    return [row.body for row in rows], more


def rows_of_page(
    connection: Connection,
    query: Select[*tuple[Any, ...]],
    wanted: Sequence[ColumnElement[bool]],
    limit: int,
    cursor: str | None,
) -> tuple[Sequence[Any], str | None]:
    """The same with the columns of a query, whose first one is the id."""
    check(limit)
    number = query.selected_columns[0]
    behind = [] if cursor is None else [number < number_of(cursor)]
    rows = connection.execute(
        query.where(*wanted, *behind).order_by(number.desc()).limit(limit + 1)
    ).all()
    more = str(rows[limit - 1][0]) if len(rows) > limit else None
    return rows[:limit], more


def check(limit: int) -> None:
    """Raises InvalidInput for a page that would hold nothing."""
    if limit < 1:
        raise InvalidInput(f"a page holds at least one item, not {limit}")


def number_of(cursor: str) -> int:
    """The id that a page ended with; raises InvalidInput for what is no cursor of ours."""
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) < 19):
        raise InvalidInput("the cursor is not one of ours; start again without one")
    return int(cursor)
