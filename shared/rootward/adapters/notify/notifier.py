"""Sends what waits in the outbox: at least once, in order for each receiver and incident."""

from __future__ import annotations

import email.utils
import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass

import httpx

from rootward.adapters.delivery import Policy
from rootward.adapters.notify.messages import message
from rootward.adapters.sql.dialects.base import Claim
from rootward.adapters.sql.outbox import Letter, SqlOutbox
from rootward.errors import Unavailable
from rootward.model.notification import Target
from rootward.ports import Clock
from rootward.telemetry import NOTIFICATIONS

log = logging.getLogger(__name__)

POLL_SECONDS = 1.0
TIMEOUT_SECONDS = 10.0
GIVE_UP_SECONDS = 86_400.0
"""A letter that could not be sent for so long is given up on."""
KEPT_SECONDS = 7 * 86_400.0
EXPIRE_POLLS = 3600
LONGEST_RETRY_AFTER_SECONDS = 3600.0
BACK_OFF = Policy(first_wait_seconds=5.0, growth=2.0, longest_wait_seconds=3600.0)


@dataclass(frozen=True)
class _Answer:
    """What a receiver said: nothing to do, wait, or never."""

    refused: str = ""
    """Why it will never take the letter."""
    wait_seconds: float | None = None
    """None where the letter was taken, or never will be."""


class Notifier:
    """One thread that tells all receivers; of several processes one is at work."""

    def __init__(
        self,
        outbox: SqlOutbox,
        targets: Sequence[Target],
        clock: Clock,
        *,
        poll_seconds: float = POLL_SECONDS,
    ) -> None:
        self._outbox = outbox
        self._targets = tuple(targets)
        self._clock = clock
        self._poll_seconds = poll_seconds
        self._http = httpx.Client(timeout=TIMEOUT_SECONDS, follow_redirects=False)
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._claim: Claim | None = None

    def start(self) -> None:
        """Begin to send, in the background."""
        self._thread = threading.Thread(target=self._run, name="notifier", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Finish the letter in hand and stop; idempotent."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        self._http.close()

    def send_due(self) -> int:
        """Send what is due now; returns how many letters were taken."""
        return sum(self._send_to(target) for target in self._targets)

    def _run(self) -> None:
        polls = 0
        try:
            while not self._stopping.wait(self._poll_seconds):
                try:
                    if self._holds():
                        self.send_due()
                        polls += 1
                        if polls % EXPIRE_POLLS == 1:
                            self._expire()
                except Unavailable as error:
                    log.warning("cannot notify", extra={"reason": str(error)})
        finally:
            if self._claim is not None:
                self._claim.let_go()

    def _holds(self) -> bool:
        if self._claim is None or not self._claim.holds():
            try:
                self._claim = self._outbox.claim()
            except Unavailable:
                return False  # another process sends
        return True

    def _expire(self) -> None:
        names = [one.name for one in self._targets]
        self._outbox.expire(names, self._clock.now() - KEPT_SECONDS)

    def _send_to(self, target: Target) -> int:
        held: set[str] = set()
        taken = 0
        for letter in self._outbox.waiting(target.name):
            if self._stopping.is_set():
                break
            incident = letter.told.incident_id
            if incident in held or letter.due_unix > self._clock.now():
                held.add(incident)  # what happened later is told later
                continue
            done = self._deliver(target, letter)
            taken += done
            if not done:
                held.add(incident)
        return taken

    def _deliver(self, target: Target, letter: Letter) -> bool:
        """Whether the letter is done with."""
        now = self._clock.now()
        answer = self._ask(target, letter, now)
        if answer.wait_seconds is None:
            outcome = "refused" if answer.refused else "sent"
            self._outbox.end(letter, answer.refused, now)
        elif now + answer.wait_seconds > letter.told.at_unix + GIVE_UP_SECONDS:
            outcome = "given_up"
            self._outbox.end(letter, "did not take it for a day", now)
        else:
            outcome = "delayed"
            self._outbox.delay(letter, now + answer.wait_seconds)
        NOTIFICATIONS.labels(target.kind.value, outcome).inc()
        facts = {"target": target.name, "incident": letter.told.incident_id, "outcome": outcome}
        log.info("notified", extra=facts)
        return outcome != "delayed"

    def _ask(self, target: Target, letter: Letter, now: float) -> _Answer:
        sent = message(target, letter.told, now)
        if sent is None:
            return _Answer()
        try:
            answer = self._http.post(target.url, content=sent.body, headers=dict(sent.headers))
        except httpx.HTTPError:
            return _Answer(wait_seconds=BACK_OFF.wait_seconds(letter.tries + 1))
        if answer.is_success:
            return _Answer()
        if answer.status_code in (408, 425, 429) or answer.status_code >= 500:
            usual = BACK_OFF.wait_seconds(letter.tries + 1)
            return _Answer(wait_seconds=_retry_after(answer, now, usual))
        return _Answer(refused=f"answered {answer.status_code}")


def _retry_after(answer: httpx.Response, now: float, usual: float) -> float:
    """How long the receiver asks to be left alone: seconds or a date (RFC 9110, 10.2.3)."""
    said = answer.headers.get("retry-after", "").strip()
    if said.isascii() and said.isdigit():
        wanted = float(said)
    else:
        try:
            wanted = email.utils.parsedate_to_datetime(said).timestamp() - now
        except ValueError:
            return usual
    return min(max(wanted, 0.0), LONGEST_RETRY_AFTER_SECONDS)
