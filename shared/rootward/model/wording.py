"""Numbers, times and durations as people read them."""

from __future__ import annotations

import time

from rootward.model.kind import unit_of
from rootward.model.series import Series

_PREFIXES = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))


def number(value: float) -> str:
    """A number in three significant digits, without an exponent where that stays short."""
    if value != 0 and not 1e-4 <= abs(value) < 1e6:
        return f"{value:.2e}"
    text = f"{value:.3g}"
    return f"{float(text):.0f}" if "e" in text else text


def quantity(value: float, series: Series) -> str:
    """A value of a series with its unit."""
    unit = unit_of(series.metric)
    if unit == "B":
        for size, prefix in _PREFIXES:
            if abs(value) >= size:
                return f"{value / size:.3g} {prefix}B"
    return f"{number(value)} {unit}".rstrip()


def duration(seconds: float) -> str:
    """Seconds in the largest unit that keeps the number above one."""
    for size, unit in ((86400.0, "d"), (3600.0, "h"), (60.0, "min")):
        if abs(seconds) >= 2 * size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds:.3g} s"


def clock(unix: float) -> str:
    """Time of day in UTC."""
    return time.strftime("%H:%M:%S UTC", time.gmtime(unix))


def listed(names: list[str]) -> str:
    """Names joined as in a sentence."""
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"
