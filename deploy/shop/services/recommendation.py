"""Recommendation: what people looked at after what you look at now."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Mapping
from typing import Any

from shop.kit import Handler, Kit, Request

MAX_USERS = 1000
SHOWN = 4


class Recommendation:
    """Learns from each request which products follow each other."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit
        self._last: OrderedDict[str, str] = OrderedDict()
        self._followers: dict[str, Counter[str]] = {}

    def routes(self) -> Mapping[str, Handler]:
        """What it answers."""
        return {"GET /recommendations": self.recommend}

    def recommend(self, request: Request) -> Any:
        """Products that fit the one looked at, filled up with popular ones."""
        user, product = request.query.get("user", ""), request.query.get("product", "")
        popular = self._kit.call("catalogue", "GET", "/products")["products"]
        self._kit.pause(0.01)
        with self._kit.lock:
            self._learn(user, product)
            followers = [id for id, _ in self._followers.get(product, Counter()).most_common(SHOWN)]
        filled = dict.fromkeys(followers + [p["id"] for p in popular])
        return {"products": [id for id in filled if id != product][:SHOWN]}

    def _learn(self, user: str, product: str) -> None:
        before = self._last.pop(user, "")
        if not (user and product):
            return
        self._last[user] = product
        if len(self._last) > MAX_USERS:
            self._last.popitem(last=False)
        if before and before != product:
            self._followers.setdefault(before, Counter())[product] += 1
