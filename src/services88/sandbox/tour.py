"""The tour: the sandbox plays the main job against itself and shows every exchange."""

import http.client
from collections.abc import Callable

from lxml import etree

from services88.contract import namespaces as ns
from services88.sandbox.demo import JOHN
from services88.sandbox.story import change_own_password, sign_in

__all__ = ["TourFailed", "play"]

_FOLDER = "/Remote/Services88"
_NEW_PASSWORD = "a brand new password"  # noqa: S105 - public, as all of the sandbox


class TourFailed(Exception):
    """The server did not answer as the story says."""


def play(host: str, port: int, say: Callable[[str], object]) -> None:
    """Play the story: sign in, wrong old password, change, old one refused, new one accepted.

    :param say: Called with each piece of text to show.
    :raises TourFailed: An answer is not what the story says.
    """
    client = _Client(host, port, say)
    ticket = client.sign_in("Sign in", JOHN.password)
    if ticket is None:
        raise TourFailed("the demo user cannot sign in")
    client.change("Change the password, with a wrong old one", ticket, "wrong", "", expect=False)
    client.change("Change the password", ticket, JOHN.password, _NEW_PASSWORD, expect=True)
    if client.sign_in("Sign in with the old password: refused", JOHN.password) is not None:
        raise TourFailed("the old password still signs in")
    again = client.sign_in("Sign in with the new password: accepted", _NEW_PASSWORD)
    if again is None:
        raise TourFailed("the new password does not sign in")
    client.change(
        "Change it back, so that the demo sign-in below is true",
        again,
        _NEW_PASSWORD,
        JOHN.password,
        expect=True,
    )


class _Client:
    """A SOAP client of a few lines, over real HTTP."""

    def __init__(self, host: str, port: int, say: Callable[[str], object]) -> None:
        self._host, self._port, self._say = host, port, say
        self._step = 0

    def sign_in(self, title: str, password: str) -> str | None:
        answer = self._post(title, "SoPrincipal", sign_in(JOHN.name, password))
        succeeded = answer.findtext(f".//{{{ns.SERVICES88}}}AuthenticationSucceeded")
        ticket = answer.findtext(f".//{{{ns.SERVICES88}}}Ticket")
        return ticket if succeeded == "true" else None

    def change(self, title: str, ticket: str, old: str, new: str, *, expect: bool) -> None:
        answer = self._post(title, "User", change_own_password(ticket, old, new))
        response = answer.findtext(f".//{{{ns.SERVICES88}}}Response")
        if response != ("true" if expect else "false"):
            raise TourFailed(f"{title}: the answer is {response}")

    def _post(self, title: str, agent: str, message: str) -> etree._Element:
        self._step += 1
        path = f"{_FOLDER}/{agent}.svc"
        self._say(f"\n{self._step}. {title}\n\nPOST {path}\n\n{message}\n")
        connection = http.client.HTTPConnection(self._host, self._port, timeout=30)
        try:
            connection.request(
                "POST", path, message.encode(), {"Content-Type": "text/xml; charset=utf-8"}
            )
            response = connection.getresponse()
            answer = etree.fromstring(response.read())
        finally:
            connection.close()
        etree.indent(answer)
        shown = etree.tostring(answer, encoding="unicode")
        self._say(f"HTTP {response.status}\n\n{shown}\n")
        return answer
