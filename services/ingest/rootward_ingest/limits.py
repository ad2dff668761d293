"""The bounds of what ingest takes in."""

from __future__ import annotations

from dataclasses import dataclass

from rootward.errors import TooLarge
from rootward_ingest.parts import PART_BYTES

MAX_LABELS = 256
"""Labels of a series that are read at all; what is beyond is not looked at."""
MAX_LABEL_BYTES = 16 * 2**10
"""Most bytes that the label names and values of one series may take together."""


@dataclass(frozen=True)
class Limits:
    """Bounds on bodies, series and clocks; the command line fills them from the settings."""

    max_body_bytes: int = 16 * 2**20
    """Largest body as sent."""
    max_decompressed_bytes: int = 64 * 2**20
    """Largest body after decompression."""
    max_parts: int = 500_000
    """Most messages, texts and values in a body, as far as they are built one by one."""
    max_samples: int = 250_000
    """Most samples in a request."""
    max_labels: int = 64
    """Most labels of a series, its name among them."""
    max_label_name_bytes: int = 512
    """Longest label name."""
    max_label_value_bytes: int = 4096
    """Longest label value."""
    max_samples_per_second: float = 0.0
    """Samples that may come in on average; 0: any number. Beyond it, 429."""
    max_series: int = 50_000
    """Most series that are active at a time; new ones beyond it are refused."""
    max_ahead_seconds: float = 600.0
    """How far a sample may lie ahead of the platform's clock."""
    max_age_seconds: float = 3600.0
    """How old a sample may be when it arrives; a series idle for longer is no longer active."""
    max_inflight_bytes: int = 512 * 2**20
    """What all requests that are being read or handled may take together; beyond it, 503."""
    max_read_seconds: float = 30.0
    """How long a sender may take for its body."""

    @property
    def largest_bytes(self) -> int:
        """What one request may take: as sent, decompressed, and built up."""
        return self.max_body_bytes + self.max_decompressed_bytes + PART_BYTES * self.max_parts

    @property
    def inflight_bytes(self) -> int:
        """The same, and never less than one request of the largest size needs."""
        return max(self.max_inflight_bytes, self.largest_bytes)


DEFAULTS = Limits()


def too_many_samples(limit: int) -> TooLarge:
    """The error for a request of too many samples."""
    return TooLarge(f"over {limit} samples in a request; send fewer at a time", "samples")
