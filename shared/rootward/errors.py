"""Every error Rootward raises on purpose.

::

    RootwardError
    ├── InvalidInput              what was sent is wrong; sending it again does not help
    │   ├── UnreadableBody        not the format it claims to be
    │   ├── TooLarge              over a size limit
    │   ├── UnsupportedMedia      a content type or encoding we do not take
    │   └── RejectedSamples       some samples were refused; the others were kept
    ├── InsufficientData          too little data to answer honestly
    ├── NotFound                  no such incident, series or method
    ├── Conflict                  what was asked does not go with how things stand
    │   └── Outdated              it was changed since it was read
    ├── InvalidParameters         parameters a method does not have or cannot take
    ├── Unauthenticated           it is not known who is asking
    ├── Forbidden                 who is asking may not do this
    ├── Busy                      a bound was reached; try again later
    ├── OverQuota                 a tenant sends more than it may
    ├── TookTooLong               a job was stopped at its time limit
    ├── Unavailable               a database, bus or queue does not answer
    └── InvalidConfiguration      a setting or an extension is wrong
        └── MissingLibrary        a method needs a library that is not installed
"""

from collections.abc import Mapping


class RootwardError(Exception):
    """Base of all errors that Rootward raises on purpose."""


class InvalidInput(RootwardError):
    """What was sent is wrong; sending it again does not help."""


class UnreadableBody(InvalidInput):
    """The body is not in the format that it claims."""


class TooLarge(InvalidInput):
    """The body, or what is in it, is over a limit; `limit` is that limit in a stable word."""

    def __init__(self, message: str, limit: str = "body") -> None:
        self.limit = limit
        super().__init__(message)


class UnsupportedMedia(InvalidInput):
    """A content type or encoding that is not accepted here."""


class RejectedSamples(InvalidInput):
    """Some samples of a request were refused; the valid ones are stored."""

    def __init__(self, accepted: int, reasons: Mapping[str, int]) -> None:
        self.accepted = accepted
        self.reasons = dict(reasons)
        listed = ", ".join(f"{reason}: {count}" for reason, count in sorted(reasons.items()))
        super().__init__(
            f"{sum(reasons.values())} samples rejected ({listed}); {accepted} accepted"
        )


class InsufficientData(RootwardError):
    """There is too little data for an honest answer; the text says what was needed."""


class NotFound(RootwardError):
    """There is no such incident, series or method."""


class Conflict(RootwardError):
    """What was asked does not go with how things stand; nothing was changed."""


class Outdated(Conflict):
    """It was changed since it was read; nothing was changed, read it again."""


class InvalidParameters(RootwardError):
    """A method was given parameters that it does not have or cannot take."""


class Unauthenticated(RootwardError):
    """It is not known who is asking: no credentials, or none that are good."""


class Forbidden(RootwardError):
    """Who is asking may not do this; the text says what it takes."""


class Busy(RootwardError):
    """A bound was reached, nothing was taken; try again after `retry_after_seconds`."""

    def __init__(self, message: str, retry_after_seconds: float = 1.0) -> None:
        self.retry_after_seconds = retry_after_seconds
        super().__init__(message)


class OverQuota(RootwardError):
    """A tenant sends more than it may, nothing was taken; `limit` says of what, in a word."""

    def __init__(self, message: str, retry_after_seconds: float, limit: str) -> None:
        self.retry_after_seconds = retry_after_seconds
        self.limit = limit
        super().__init__(message)


class TookTooLong(RootwardError):
    """A job was stopped at its time limit; running it again would take as long."""


class Unavailable(RootwardError):
    """A database, bus or queue does not answer; nothing was taken, try again later."""


class InvalidConfiguration(RootwardError):
    """A setting, a URL scheme or an extension is wrong; the text says which and what is allowed."""


class MissingLibrary(InvalidConfiguration):
    """A method needs a library that is not installed; the text says which."""
