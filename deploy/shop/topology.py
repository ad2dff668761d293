"""Who is in the shop, who calls whom, and which faults it ships."""

from __future__ import annotations

SERVICES: tuple[str, ...] = (
    "frontend",
    "catalogue",
    "recommendation",
    "cart",
    "checkout",
    "payment",
    "shipping",
    "orders",
)

TIMEOUTS: dict[str, dict[str, float]] = {
    "frontend": {"catalogue": 1.0, "recommendation": 1.0, "cart": 1.0, "checkout": 3.0},
    "recommendation": {"catalogue": 0.6},
    "checkout": {"cart": 0.8, "payment": 0.8, "shipping": 0.8, "orders": 0.8},
}
"""Seconds that a caller waits for each service it calls; a service not listed calls none."""

CALLS: tuple[tuple[str, str], ...] = tuple(
    (caller, callee) for caller, callees in TIMEOUTS.items() for callee in callees
)

FAULTS: tuple[str, ...] = (
    "cpu@payment",
    "errors@shipping",
    "hang@cart",
    "latency@catalogue",
    "leak@recommendation",
    "lock@orders",
)
"""One fault of each kind, on services of different depth; any kind works on any service."""

SPELLINGS: dict[str, str] = {"catalog": "catalogue"}
"""Other spellings of a service that are understood where a person names it."""
