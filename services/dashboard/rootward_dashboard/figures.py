"""Numbers, units and times as people read them: three significant digits at most, times in UTC."""

from __future__ import annotations

import math
from datetime import UTC, datetime

_LARGE = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))
_BINARY = ((2.0**40, "TiB"), (2.0**30, "GiB"), (2.0**20, "MiB"), (2.0**10, "KiB"))
_SECONDS = ((1.0, 1.0, "s"), (1e-3, 1e3, "ms"), (1e-6, 1e6, "µs"), (0.0, 1e9, "ns"))
MISSING = "–"
_NOISE = 1e-12
"""What is smaller comes out of the rounding of floats, and is shown as 0."""


def number(value: float | None) -> str:
    """At most three significant digits, thousands by prefix: 1234567 is 1.23 M."""
    if value is None or not math.isfinite(value):
        return MISSING if value is None or math.isnan(value) else f"{'−' if value < 0 else ''}∞"
    if abs(value) < _NOISE:
        return "0"
    for size, prefix in _LARGE:
        if abs(value) >= 0.9995 * size:
            return f"{_digits(value / size)} {prefix}"
    if abs(value) < 1e-3:
        return f"{value:.2e}".replace("e-0", "e-").replace("-", "−")
    return _digits(value)


def quantity(value: float | None, unit: str = "") -> str:
    """A number with its unit, in the multiple of the unit that suits it: 0.21 s is 210 ms."""
    if value is None or not math.isfinite(value):
        return number(value)
    if unit == "ms":
        return quantity(value / 1000, "s")
    if unit == "s" and value != 0:
        if abs(value) >= 120:
            return ("−" if value < 0 else "") + span(abs(value))
        factor, name = next((f, n) for least, f, n in _SECONDS if abs(value) >= least)
        return f"{_digits(value * factor)} {name}"
    if unit == "B":
        for size, name in _BINARY:
            if abs(value) >= size:
                return f"{_digits(value / size)} {name}"
        return f"{_digits(value)} B"
    if unit == "%":
        return f"{number(value)} %"
    return f"{number(value)} {unit}".rstrip()


def multiple(value: float, unit: str) -> float:
    """The multiple of a unit that `quantity` would write a value in, 1 where it is no power of 10.

    Bytes come in powers of 1024, long times in minutes, hours and days.
    """
    if unit == "B":
        return next((size for size, _ in _BINARY if abs(value) >= size), 1.0)
    if unit == "s":
        return next((size for size in (86400.0, 3600.0, 60.0) if abs(value) >= 2 * size), 1.0)
    return 1.0


def share(value: float) -> str:
    """A share of one as a percentage without decimals; small ones as `< 1 %`."""
    if 0 < value < 0.01:
        return "< 1 %"
    return f"{100 * value:.0f} %"


def in_ten(value: float) -> str:
    """A probability as people count: `about 7 in 10`; never as certainty."""
    if value >= 0.95:
        return "more than 9 in 10"
    return "fewer than 1 in 10" if value < 0.05 else f"about {max(1, round(10 * value))} in 10"


def span(seconds: float) -> str:
    """A length of time in its two largest units: 3840 s is `1 h 4 min`."""
    if seconds < 1:
        return f"{_digits(seconds * 1000)} ms" if seconds > 0 else "0 s"
    if seconds < 60:
        return f"{_digits(seconds)} s"
    left = round(seconds)
    parts: list[str] = []
    for size, name in ((86400, "d"), (3600, "h"), (60, "min"), (1, "s")):
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count} {name}")
        elif parts:
            break
    return " ".join(parts[:2])


def ago(unix: float, now: float) -> str:
    """How long before now a time lies, in one unit: `12 min ago`."""
    seconds = now - unix
    if seconds < 0:
        return "just now" if seconds > -5 else f"in {_one_unit(-seconds)}"
    return "just now" if seconds < 2 else f"{_one_unit(seconds)} ago"


def offset(seconds: float) -> str:
    """A signed distance in time: `+45 s`, `−2 min`."""
    sign = "−" if seconds < 0 else "+"
    return "0 s" if abs(seconds) < 0.5 else sign + span(abs(seconds))


def instant(unix: float) -> datetime:
    """An aware UTC time."""
    return datetime.fromtimestamp(unix, UTC)


def rfc3339(unix: float) -> str:
    """A time as JSON and `<time datetime>` want it, to the millisecond."""
    return instant(unix).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def stamp(unix: float) -> str:
    """A time with its date: `2026-11-23 14:02:15 UTC`."""
    return instant(unix).strftime("%Y-%m-%d %H:%M:%S UTC")


def day(unix: float) -> str:
    """A date in UTC: `2026-11-23`."""
    return instant(unix).strftime("%Y-%m-%d")


def clock(unix: float) -> str:
    """A time of day in UTC: `14:02:15`."""
    return instant(unix).strftime("%H:%M:%S")


def _one_unit(seconds: float) -> str:
    for size, name in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{int(seconds // size)} {name}"
    return f"{int(seconds)} s"


def _digits(value: float) -> str:
    if value == 0:
        return "0"
    decimals = max(0, 2 - math.floor(math.log10(abs(value))))
    text = f"{round(value, decimals):.{decimals}f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text).replace("-", "−")
