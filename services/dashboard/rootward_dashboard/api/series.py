"""Known series."""

from __future__ import annotations

import base64
import binascii
import json
from bisect import bisect_right

from fastapi import APIRouter, Request, Response

from rootward.errors import InvalidInput
from rootward.model.series import Series
from rootward.ports import Platform
from rootward_dashboard import schemas as out
from rootward_dashboard import wire
from rootward_dashboard.access import Asking
from rootward_dashboard.api.routing import Cursor, Limit, Service, get, link_next


def add(routes: APIRouter, platform: Platform) -> None:
    """The list of series."""

    def series(
        request: Request,
        response: Response,
        caller: Asking,
        service: Service = None,
        limit: Limit = 200,
        cursor: Cursor = None,
    ) -> out.SeriesPageOut:
        """Known series with the time of their last sample, by metric, then labels."""
        every = platform.samples.series(caller.tenant)
        known = [i for i in every if service in (None, i.series.service)]
        start = 0
        if cursor is not None:
            start = bisect_right(known, _from_cursor(cursor), key=lambda i: i.series)
        items = known[start : start + limit]
        more = _to_cursor(items[-1].series) if start + limit < len(known) else None
        link_next(request, response, more)
        return out.SeriesPageOut(
            items=[wire.known_series(i) for i in items], next_cursor=more, total=len(known)
        )

    get(routes, "/series", series, "list_series", out.SeriesPageOut)


def _to_cursor(series: Series) -> str:
    text = json.dumps([series.metric, series.labels])
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _from_cursor(cursor: str) -> Series:
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        metric, labels = json.loads(text)
        return Series(str(metric), tuple((str(name), str(value)) for name, value in labels))
    except (binascii.Error, ValueError, TypeError, InvalidInput) as error:
        raise InvalidInput("cursor is not one of ours; start again without it") from error
