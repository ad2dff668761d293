"""Cart: what each user wants to buy, in memory."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from shop.kit import Handler, Kit, Request

MAX_CARTS = 2000
MAX_QUANTITY = 20


class Cart:
    """Keeps the carts used last; the oldest goes when there are too many."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit
        self._carts: OrderedDict[str, dict[str, int]] = OrderedDict()

    def routes(self) -> Mapping[str, Handler]:
        """What it answers."""
        return {
            "GET /carts/{user}": self.get_cart,
            "POST /carts/{user}/items": self.add_item,
            "DELETE /carts/{user}": self.empty_cart,
        }

    def get_cart(self, request: Request) -> Any:
        """Quantity by product."""
        self._kit.pause(0.003)
        with self._kit.lock:
            return {"items": dict(self._carts.get(request.path["user"], {}))}

    def add_item(self, request: Request) -> Any:
        """Put a product into the cart."""
        product, quantity = request.text("product"), request.whole("quantity")
        self._kit.pause(0.004)
        with self._kit.lock:
            items = self._carts.pop(request.path["user"], {})
            items[product] = min(MAX_QUANTITY, items.get(product, 0) + quantity)
            self._carts[request.path["user"]] = items
            if len(self._carts) > MAX_CARTS:
                self._carts.popitem(last=False)
            return {"items": dict(items)}

    def empty_cart(self, request: Request) -> Any:
        """Forget the cart; an empty one stays empty."""
        self._kit.pause(0.003)
        with self._kit.lock:
            self._carts.pop(request.path["user"], None)
        return {"items": {}}
