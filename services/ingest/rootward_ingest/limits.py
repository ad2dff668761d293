"""The bounds of what ingest takes in."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Bounds on bodies, series and clocks; the command line fills them from the settings."""

    max_body_bytes: int = 16 * 2**20
    """Largest body as sent."""
    max_decompressed_bytes: int = 64 * 2**20
    """Largest body after decompression."""
    max_series: int = 50_000
    """Most series that are active at a time; new ones beyond it are refused."""
    max_ahead_seconds: float = 600.0
    """How far a sample may lie ahead of the platform's clock."""
    max_age_seconds: float = 3600.0
    """How old a sample may be when it arrives; a series idle for longer is no longer active."""
    largest_at_once: int = 4
    """How many requests of the largest size fit in at a time; smaller ones share their room."""
    max_read_seconds: float = 30.0
    """How long a sender may take for its body."""

    @property
    def largest_bytes(self) -> int:
        """What one request may take, as sent and decompressed."""
        return self.max_body_bytes + self.max_decompressed_bytes

    @property
    def inflight_bytes(self) -> int:
        """What all requests that are being read or handled may take; beyond it, 503."""
        return self.largest_at_once * self.largest_bytes
