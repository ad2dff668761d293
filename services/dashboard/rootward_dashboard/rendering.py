"""Templates into pages: the Jinja environment, its filters, and the static files' addresses."""

from __future__ import annotations

from html import escape

from fastapi import Request
from jinja2 import Environment, PackageLoader, StrictUndefined

from rootward import __version__
from rootward_dashboard import assets, figures, names
from rootward_dashboard.svg import Markup


def breakable(name: str) -> Markup:
    """A long name that lines may break behind its underscores, and nothing else in it."""
    return Markup(escape(name).replace("_", "_<wbr>"))


_environment = Environment(
    loader=PackageLoader("rootward_dashboard"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_environment.filters |= {
    "number": figures.number,
    "quantity": figures.quantity,
    "share": figures.share,
    "in_ten": figures.in_ten,
    "span": figures.span,
    "stamp": figures.stamp,
    "clock": figures.clock,
    "day": figures.day,
    "rfc3339": figures.rfc3339,
    "offset": figures.offset,
    "metric": lambda series: breakable(names.metric_of(series)),
    "breakable": breakable,
    "web_address": names.web_address,
}
_environment.globals |= {"version": __version__, "ago": figures.ago, "asset": assets.address}


def page(request: Request, template: str, **context: object) -> str:
    """A page as HTML; links in it start at the path that the app is mounted at."""
    root = request.scope.get("root_path", "")
    known = {name: getattr(request.state, name, None) for name in ("caller", "form_key")}
    return _environment.get_template(template).render(root=root, request=request, **known | context)
