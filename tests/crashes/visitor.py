"""An administrator at the pages: signs in, and signs out."""

import re

import httpx

from tests.crashes.accounts import Unanswered

__all__ = ["Visitor"]

_CSRF = re.compile(r'name="csrf" value="([^"]+)"')


class Visitor:
    """A browser without a window.

    :ivar signed_out: How often it was acknowledged.
    :ivar open: Whether it was asked for and nobody heard what came of it.
    """

    def __init__(self, url: str, name: str, password: str) -> None:
        self._browser = httpx.Client(base_url=url, timeout=30)
        self._name, self._password = name, password
        self._old = httpx.Cookies()
        self.signed_out = 0
        self.open = False

    def come_and_go(self) -> None:
        """Sign in, and sign out.

        :raises Unanswered: No answer came.
        """
        form = {"name": self._name, "password": self._password}
        try:
            here = self._post("/admin/sign-in", self._browser.get("/admin"), form)
            assert here.status_code == 200, here.text
            self._old = httpx.Cookies(self._browser.cookies)
            self.open = True
            gone = self._post("/admin/sign-out", here, {})
            assert 'name="password"' in gone.text
        except httpx.TransportError as error:
            raise Unanswered(str(error)) from error
        self.open = False
        self.signed_out += 1

    def _post(self, path: str, page: httpx.Response, fields: dict[str, str]) -> httpx.Response:
        found = _CSRF.search(page.text)
        assert found, page.text
        answer = self._browser.post(path, data={"csrf": found[1], **fields})
        assert answer.status_code == 303, answer.text
        return self._browser.get("/admin")

    def settle(self) -> None:
        """Check that a sign-out that was acknowledged holds."""
        with httpx.Client(base_url=self._browser.base_url, cookies=self._old, timeout=30) as again:
            page = again.get("/admin")
        assert page.status_code == 200, page.text
        is_in = 'name="password"' not in page.text
        assert not is_in or self.open, "a ticket outlived its sign-out"
        if self.open and not is_in:
            self.signed_out += 1
        self.open = False
        self._old = httpx.Cookies()
        self._browser.cookies.clear()

    def close(self) -> None:
        """Close the connections."""
        self._browser.close()
