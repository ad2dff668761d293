"""Frontend: the entry, which puts pages together from what the other services know."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from shop.errors import CallFailed
from shop.kit import Handler, Kit, Request

log = logging.getLogger(__name__)

MAX_SESSIONS = 5000


class Frontend:
    """Answers the shop's visitors; only a recommendation may be missing from a page."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit
        self._pages: OrderedDict[str, int] = OrderedDict()

    def routes(self) -> Mapping[str, Handler]:
        """What it answers."""
        return {
            "GET /": self.home,
            "GET /products/{id}": self.product,
            "POST /cart": self.add_to_cart,
            "GET /cart": self.cart,
            "POST /checkout": self.check_out,
        }

    def home(self, request: Request) -> Any:
        """Popular products and what might please this visitor."""
        user = self._visitor(request.query.get("user", ""))
        products = self._kit.call("catalogue", "GET", "/products")["products"]
        return {"products": products, "recommended": self._recommended(user, "")}

    def product(self, request: Request) -> Any:
        """One product and what goes with it."""
        user, id = self._visitor(request.query.get("user", "")), request.path["id"]
        product = self._kit.call("catalogue", "GET", f"/products/{id}")
        return {"product": product, "recommended": self._recommended(user, id)}

    def add_to_cart(self, request: Request) -> Any:
        """The cart with one product more."""
        user = self._visitor(request.text("user"))
        product = self._kit.call(
            "catalogue", "GET", f"/products/{quote(request.text('product'), safe='')}"
        )
        item = {"product": product["id"], "quantity": request.whole("quantity")}
        return self._kit.call("cart", "POST", f"/carts/{user}/items", item)

    def cart(self, request: Request) -> Any:
        """The visitor's cart."""
        user = self._visitor(request.query.get("user", ""))
        return self._kit.call("cart", "GET", f"/carts/{user}")

    def check_out(self, request: Request) -> Any:
        """The order that the cart became."""
        user = self._visitor(request.text("user"))
        order = {"user": user, "card": request.text("card")}
        return self._kit.call("checkout", "POST", "/checkouts", order)

    def _visitor(self, user: str) -> str:
        """The visitor, counted; those who give no name, or one unfit for a path, are one."""
        name = user if user.isascii() and user.isalnum() else "anonymous"
        with self._kit.lock:
            self._pages[name] = self._pages.pop(name, 0) + 1
            if len(self._pages) > MAX_SESSIONS:
                self._pages.popitem(last=False)
        return name

    def _recommended(self, user: str, product: str) -> list[str]:
        """Product ids; none where the service fails, since a page is worth more than they are."""
        path = f"/recommendations?user={user}&product={product}"
        try:
            return list(self._kit.call("recommendation", "GET", path)["products"])
        except CallFailed as error:
            log.info("page without recommendations", extra={"reason": str(error)})
            return []
