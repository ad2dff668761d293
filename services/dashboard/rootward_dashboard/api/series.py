"""Known series, and their values for plots."""

from __future__ import annotations

import base64
import binascii
import json
from bisect import bisect_right
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from rootward.errors import InvalidInput, InvalidParameters
from rootward.model.series import Series
from rootward.ports import Platform
from rootward_dashboard import judging, looking, wire
from rootward_dashboard import schemas as out
from rootward_dashboard.access import Asking
from rootward_dashboard.api.routing import Cursor, Limit, Service, get, link_next
from rootward_dashboard.curves import Stretch, curves

_Keys = Annotated[
    list[str], Query(min_length=1, max_length=20, description="Keys of series; may be repeated.")
]
_Time = Annotated[judging.Time, Query(description="RFC 3339, or Unix seconds.")]


def add(routes: APIRouter, platform: Platform) -> None:
    """The list of series, and what they did."""

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
    _add_data(routes, platform)


def _add_data(routes: APIRouter, platform: Platform) -> None:
    def data(
        caller: Asking,
        series: _Keys,
        start: _Time,
        end: _Time,
        points: Annotated[int, Query(ge=2, le=2000, description="Most points of a series.")] = 600,
        onset: Annotated[
            judging.Time | None, Query(description="The rows before it tell the usual band.")
        ] = None,
    ) -> looking.CurvesOut:
        """Values of series for plots, thinned to a number of points with their extremes kept.

        Series are named by key: raw ones as they were sent, and those that a diagnosis makes of
        them (rates, means, percentiles).
        """
        asked = Stretch(
            caller.tenant,
            tuple(dict.fromkeys(series)),
            start.timestamp(),
            end.timestamp(),
            points,
            None if onset is None else onset.timestamp(),
        )
        if not asked.start_unix < asked.end_unix:
            raise InvalidParameters("the end must come after the start")
        found, step = curves(platform, asked)
        there = {one.series.key for one in found}
        return looking.CurvesOut(
            items=[looking.curve(one) for one in found],
            missing=[key for key in asked.keys if key not in there],
            start_unix=asked.start_unix,
            end_unix=asked.end_unix,
            step_seconds=step,
        )

    get(routes, "/series/data", data, "get_series_data", looking.CurvesOut)


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
