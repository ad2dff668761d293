"""Payment: charges cards, each order once."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from shop.errors import HttpError
from shop.kit import Handler, Kit, Request

MAX_REMEMBERED = 5000
SIGNING_ROUNDS = 4000


def is_card_number(number: str) -> bool:
    """Whether the digits pass the check of ISO/IEC 7812-1, annex B (Luhn)."""
    if not (number.isascii() and number.isdigit() and 12 <= len(number) <= 19):
        return False
    doubled = (2 * int(d) if k % 2 else int(d) for k, d in enumerate(reversed(number)))
    return sum(d - 9 if d > 9 else d for d in doubled) % 10 == 0


class Payment:
    """Remembers what it charged: the same order gets the same receipt, not a second charge."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit
        self._receipts: OrderedDict[str, str] = OrderedDict()

    def routes(self) -> Mapping[str, Handler]:
        """What it answers."""
        return {"POST /charges": self.charge}

    def charge(self, request: Request) -> Any:
        """A signed receipt."""
        order, cents, card = request.text("order"), request.whole("cents"), request.text("card")
        if not is_card_number(card):
            raise HttpError(402, "that is no card number")
        with self._kit.lock:
            known = self._receipts.get(order)
        if known:
            return {"receipt": known}
        self._kit.pause(0.03)  # the bank
        text = f"{order} {cents} {card[-4:]}".encode()
        receipt = hashlib.pbkdf2_hmac("sha256", text, b"demo shop", SIGNING_ROUNDS).hex()
        with self._kit.lock:
            self._receipts[order] = receipt
            if len(self._receipts) > MAX_REMEMBERED:
                self._receipts.popitem(last=False)
        return {"receipt": receipt}
