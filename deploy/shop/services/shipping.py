"""Shipping: what a parcel costs, and where it goes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shop.kit import Handler, Kit, Request

CENTS_PER_PARCEL = 450
CENTS_PER_KILOGRAM = 120


class Shipping:
    """Quotes by weight and hands out tracking numbers in sequence."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit
        self._parcels = 0

    def routes(self) -> Mapping[str, Handler]:
        """What it answers."""
        return {"POST /quotes": self.quote, "POST /parcels": self.send_parcel}

    def quote(self, request: Request) -> Any:
        """The price of a parcel."""
        grams = request.whole("grams")
        self._kit.pause(0.008)
        with self._kit.lock:
            sent = self._parcels
        discount = 50 if sent % 10 == 9 else 0  # each tenth parcel is cheaper
        return {"cents": CENTS_PER_PARCEL + CENTS_PER_KILOGRAM * grams // 1000 - discount}

    def send_parcel(self, request: Request) -> Any:
        """A tracking number."""
        order = request.text("order")
        self._kit.pause(0.015)  # the carrier
        with self._kit.lock:
            self._parcels += 1
            return {"order": order, "tracking": f"T{self._parcels:08d}"}
