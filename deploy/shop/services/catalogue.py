"""Catalogue: what is for sale, read from a store that is as slow as a disc."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

from shop.errors import HttpError
from shop.kit import Handler, Kit, Request

PRODUCTS = 60
PAGE = 12
CATEGORIES = ("lamps", "chairs", "mugs", "books", "plants", "clocks")


def _products() -> dict[str, dict[str, Any]]:
    prices = random.Random("prices")
    return {
        f"p{n}": {
            "id": f"p{n}",
            "category": CATEGORIES[n % len(CATEGORIES)],
            "cents": prices.randrange(500, 20000),
            "grams": prices.randrange(50, 5000),
        }
        for n in range(PRODUCTS)
    }


class Catalogue:
    """Lists products by page or category, and counts how often each is looked at."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit
        self._products = _products()
        self._views = dict.fromkeys(self._products, 0)

    def routes(self) -> Mapping[str, Handler]:
        """What it answers."""
        return {
            "GET /products": self.list_products,
            "GET /products/{id}": self.get_product,
        }

    def list_products(self, request: Request) -> Any:
        """The products of a category, or the most viewed ones."""
        self._kit.pause(0.008)
        category = request.query.get("category")
        with self._kit.lock:
            ids = sorted(self._products, key=lambda id: -self._views[id])
        chosen = (self._products[id] for id in ids)
        return {"products": [p for p in chosen if category in (None, p["category"])][:PAGE]}

    def get_product(self, request: Request) -> Any:
        """One product."""
        self._kit.pause(0.005)
        product = self._products.get(request.path["id"])
        if product is None:
            raise HttpError(404, f"there is no product {request.path['id']}")
        with self._kit.lock:
            self._views[product["id"]] += 1
        return product
