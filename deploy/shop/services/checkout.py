"""Checkout: turns a cart into a paid order on its way."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from shop.errors import HttpError
from shop.kit import Handler, Kit, Request

GRAMS_PER_ITEM = 800
CENTS_PER_ITEM = 2500
LOYAL_CENTS = 50_000


class Checkout:
    """Asks cart, orders, shipping and payment in turn, and stops at the first that fails."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit
        self._busy: set[str] = set()

    def routes(self) -> Mapping[str, Handler]:
        """What it answers."""
        return {"POST /checkouts": self.check_out}

    def check_out(self, request: Request) -> Any:
        """The order with its receipt and tracking number; one at a time for each user."""
        user, card = request.text("user"), request.text("card")
        self._kit.pause(0.002)
        with self._kit.lock:
            if user in self._busy:
                raise HttpError(409, "this cart is being checked out")
            self._busy.add(user)
        try:
            return self._order(user, card)
        finally:
            with self._kit.lock:
                self._busy.discard(user)

    def _order(self, user: str, card: str) -> Any:
        items = self._kit.call("cart", "GET", f"/carts/{user}")["items"]
        if not items:
            raise HttpError(409, "the cart is empty")
        order, cents = uuid.uuid4().hex, self._price(user, items)
        charge = {"order": order, "cents": cents, "card": card}
        receipt = self._kit.call("payment", "POST", "/charges", charge)["receipt"]
        placed = {"id": order, "user": user, "cents": cents, "items": items}
        self._kit.call("orders", "POST", "/orders", placed)
        parcel = self._kit.call("shipping", "POST", "/parcels", {"order": order})
        self._kit.call("cart", "DELETE", f"/carts/{user}")
        return {"order": order, "cents": cents, "receipt": receipt, "tracking": parcel["tracking"]}

    def _price(self, user: str, items: Mapping[str, int]) -> int:
        """Cents for goods and parcel; a tenth less on the goods for who bought a lot."""
        count = sum(items.values())
        spent = self._kit.call("orders", "GET", f"/orders?user={user}")["cents"]
        quote = self._kit.call("shipping", "POST", "/quotes", {"grams": GRAMS_PER_ITEM * count})
        goods = CENTS_PER_ITEM * count
        return int(goods * 9 // 10 if spent > LOYAL_CENTS else goods) + int(quote["cents"])
