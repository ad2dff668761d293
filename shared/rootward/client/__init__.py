"""A client of the API: what programs and the command line ask it with."""

from rootward.client.api import Client, Json, Refused

__all__ = ["Client", "Json", "Refused"]
