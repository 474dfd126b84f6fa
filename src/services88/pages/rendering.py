"""Templates and the files beside them: Jinja2, escaping everything and guessing nothing."""

import hashlib
import re
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from services88 import __version__
from services88.pages.routing import ASSETS
from services88.texts import _, catalogue, ngettext

__all__ = ["assets", "render", "xml"]

_TYPES = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}


@cache
def assets() -> dict[str, tuple[bytes, str, str]]:
    """Give each file by its name: content, media type, and what tells a change of it."""
    found: dict[str, tuple[bytes, str, str]] = {}
    for file in (files("services88.pages") / "static").iterdir():
        media_type = _TYPES.get(file.name.rpartition(".")[2])
        if media_type is not None:
            content = file.read_bytes()
            digest = hashlib.sha256(content).hexdigest()[:16]
            found[file.name] = (content, f"{media_type}; charset=utf-8", f'"{digest}"')
    return found


def _asset(name: str) -> str:
    return f"{ASSETS}{name}?v={assets()[name][2].strip(chr(34))}"


def _time(milliseconds: int | None) -> str:
    if milliseconds is None:
        return ""
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")


_TAG = re.compile(
    r"(?P<tag>&lt;/?[\w:.-]+)(?P<attributes>(?:\s+[\w:.-]+=&#34;.*?&#34;)*\s*)(?P<end>/?&gt;)"
)
_ATTRIBUTE = re.compile(r"([\w:.-]+)=(&#34;.*?&#34;)")


def xml(text: str) -> Markup:
    """Colour XML: names of elements and attributes, and values."""

    def attribute(found: re.Match[str]) -> str:
        return f'<span class="x-name">{found[1]}</span>=<span class="x-value">{found[2]}</span>'

    def tag(found: re.Match[str]) -> str:
        inside = _ATTRIBUTE.sub(attribute, found["attributes"])
        return (
            f'<span class="x-tag">{found["tag"]}</span>{inside}'
            f'<span class="x-tag">{found["end"]}</span>'
        )

    return Markup(_TAG.sub(tag, str(escape(text))))  # noqa: S704 - what is put in was escaped


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("services88.pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.globals |= {
        "_": _,
        "ngettext": ngettext,
        "asset": _asset,
        "language": catalogue().info().get("language") or "en",
        "version": __version__,
    }
    environment.filters |= {"time": _time, "xml": xml}
    return environment


def render(template: str, **values: Any) -> str:
    """Render a page."""
    return _environment().get_template(template).render(**values)
