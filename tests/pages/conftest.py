"""A real browser: Debian's Chromium, or else Playwright's own."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Error, Page, expect, sync_playwright

Visiting = Callable[..., Page]
_SCHEMES: tuple[Literal["light"], Literal["dark"]] = ("light", "dark")
_SHOTS = os.environ.get("SERVICES88_SCREENSHOTS")
_PATIENCE = 20_000  # milliseconds: for a machine that does much else

_HELD: set[str] = set()

expect.set_options(timeout=_PATIENCE)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    found = shutil.which("chromium")
    # Chromium refuses its own sandbox to root, and continuous integration is root.
    options = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(executable_path=found, args=options)
        except Error as error:
            if found:
                raise
            pytest.skip(f"no browser: install Debian's package chromium ({error.name})")
        yield browser
        browser.close()


@pytest.fixture
def visiting(browser: Browser) -> Iterator[Visiting]:
    """Open browsers of their own; afterwards none may have complained of the content policy."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def visit(url: str, **options: Any) -> Page:
        context = browser.new_context(**options)
        contexts.append(context)
        context.set_default_timeout(_PATIENCE)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "console",
            lambda message: (
                complaints.append(message.text)
                if "Content Security Policy" in message.text
                else None
            ),
        )
        page.goto(url)
        return page

    yield visit
    for context in contexts:
        with suppress(Error):
            context.close()
    assert complaints == []


def check_accessible(page: Page, name: str) -> None:
    """Hold a page, in light and dark and on a phone, to what axe-core knows of WCAG 2.2 AA."""
    if name in _HELD:  # on the other database: the page is the same
        return
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
    size = page.viewport_size
    for scheme in _SCHEMES:
        for width in (1280, 390):
            page.set_viewport_size({"width": width, "height": 800})
            # Transitions would let it measure colours of half the way.
            page.emulate_media(reduced_motion="reduce", color_scheme=scheme)
            if _SHOTS:
                shot = Path(_SHOTS) / f"{name}-{width}-{scheme}.png"
                page.screenshot(path=shot, full_page=True)
            wide = page.evaluate("document.documentElement.scrollWidth")
            assert wide <= width, f"{name} is {wide} wide at {width}"
            found = Axe().run(page, options={"runOnly": {"type": "tag", "values": tags}})
            violations = [
                (one["id"], [node["html"][:120] for node in one["nodes"]])
                for one in found.response["violations"]
            ]
            assert violations == [], f"{name}, {scheme}, {width}"
    if size:
        page.set_viewport_size(size)
    _HELD.add(name)
