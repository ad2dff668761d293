"""The method that learns the causal graph of a diagnosis."""

from __future__ import annotations

from rootward.errors import InvalidConfiguration, NotFound
from rootward.methods import registry
from rootward.methods.base import DiscoveryMethod


def discovery_method(name: str) -> DiscoveryMethod:
    """The method that learns the causal graph.

    Raises:
        InvalidConfiguration: there is none of that name, or it does not learn graphs.
    """
    try:
        made = registry.load().make(name)
    except NotFound as error:
        raise InvalidConfiguration(str(error)) from error
    if not isinstance(made, DiscoveryMethod):
        raise InvalidConfiguration(f"{name} does not learn a causal graph")
    return made
