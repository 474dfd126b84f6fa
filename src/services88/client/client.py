"""The client: typed calls, as the contract declares them."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Concatenate, Generic, ParamSpec, Self, TypeVar, cast

from services88.client.addresses import service_folder
from services88.client.errors import (
    CallRefused,
    NotSent,
    NotServices88,
    NotSignedIn,
    PasswordNotChanged,
    quoted,
)
from services88.client.transport import HttpAnswer, Limits, Transport, tls_context
from services88.contract import AGENTS
from services88.contract.headers import APPLICATION_TOKEN, CREDENTIALS, SoCredentials
from services88.contract.so_principal import SoPrincipalAgent, SoPrincipalCarrier
from services88.contract.user import UserAgent
from services88.soap.calling import FaultReceived, read_answer, write_request
from services88.soap.reading import Malformed
from services88.soap.versions import SOAP11
from services88.soap.writing import Unwritable
from services88.soap.xml import NotAcceptable, XmlSettings, parse

__all__ = ["Client", "Reply"]

P = ParamSpec("P")
R = TypeVar("R")

_BY_DECLARATION = {
    operation.declared: (agent, operation)
    for agent in AGENTS.values()
    for operation in agent.operations.values()
}
_ANSWERS = XmlSettings(
    max_elements=1_000_000, max_all_attributes=1_000_000, max_all_namespaces=100_000
)
"""Answers may be larger than what a server takes; the size of one is bounded before."""

_XML = frozenset({"text/xml", "application/xml", "application/soap+xml"})


@dataclass(frozen=True, slots=True)
class Reply(Generic[R]):
    """What a call gave: its result, and the facts beside it. Either may hold secrets."""

    result: R = field(repr=False)
    extra: dict[str, str | None] = field(repr=False)


class Client:
    """A caller of one Services88 server.

    It keeps the ticket of the last sign-in and sends it with the calls that need one. One call at a
    time; a connection each.
    """

    def __init__(
        self,
        url: str,
        *,
        application_token: str | None = None,
        ca_file: Path | None = None,
        insecure_http: bool = False,
        limits: Limits | None = None,
    ) -> None:
        """Prepare to call a server; nothing is sent yet.

        :param url: Of the site, of ``…/Remote/Services88``, or of a service. See
            :func:`services88.client.addresses.service_folder`, which may refuse it.
        :param application_token: What an Online installation asks for.
        :param ca_file: PEM file of certificate authorities to trust instead of the machine's.
        :raises AddressError: The URL or the file cannot be used.
        """
        self._transport = Transport(
            service_folder(url, insecure_http=insecure_http),
            tls_context(ca_file),
            limits or Limits(),
        )
        self._application_token = application_token
        self._ticket: str | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Forget the ticket."""
        self._ticket = None

    def call(
        self,
        declared: Callable[Concatenate[Any, P], R],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> Reply[R]:
        """Call an operation: ``client.call(UserAgent.can_change_password, associate_id=7)``.

        :param declared: The operation, as the contract declares it; the arguments are its own.
        :raises CallRefused: The server refused it and says so in an ExceptionInfo.
        :raises NotSent: An argument cannot be written as XML.
        :raises NotServices88: The answer is none of this contract.
        :raises TransportError: No answer came.
        """
        agent, operation = _BY_DECLARATION[declared]
        bound = inspect.signature(declared).bind(None, *args, **kwargs).arguments
        ticket = self._ticket if agent.needs_ticket else None
        headers: dict[str, object] = {}
        if self._application_token is not None:
            headers[APPLICATION_TOKEN.name] = self._application_token
        if ticket is not None:
            headers[CREDENTIALS.name] = SoCredentials(ticket=ticket)
        arguments = {one.attribute: bound[one.attribute] for one in operation.request}
        try:
            message = write_request(operation, agent, SOAP11, headers, arguments, documented=False)
        except Unwritable as error:
            raise NotSent(
                "The user name, a password or the token cannot be sent. " + str(error)
            ) from error
        reply = self._transport.post(agent.name, operation.action, message)
        _check_is_xml(reply)
        try:
            answer = read_answer(operation, parse(reply.content, reply.charset, _ANSWERS))
        except FaultReceived as fault:
            raise _told_as_fault(fault, reply) from fault
        except (NotAcceptable, Malformed) as error:
            raise NotServices88(
                f"The answer is not of Services88: {quoted(str(error))} Check the URL.",
                reply.status,
            ) from error
        if answer.refused is not None:
            raise CallRefused(answer.refused)
        if reply.status != 200:
            raise NotServices88(_STATUS.format(reply.status), reply.status)
        return Reply(cast("R", answer.result), answer.extra or {})

    def sign_in(self, user_name: str, password: str) -> SoPrincipalCarrier | None:
        """Sign in, and keep the ticket for the calls to come.

        :returns: What the server says of the user.
        :raises NotSignedIn: User and password do not fit, or the user may not sign in.
        """
        self._ticket = None
        signed_in = self.call(
            SoPrincipalAgent.authenticate_username_password, user_name, password
        ).result
        if not signed_in.authentication_succeeded:
            raise NotSignedIn(
                "The server does not accept this user name with this password. Check both, and "
                "mind upper and lower case; after several tries, wait some minutes. Nothing was "
                "changed."
            )
        if signed_in.credentials is None or not signed_in.credentials.ticket:
            raise NotServices88("The server signed the user in and gave no ticket for it.")
        self._ticket = signed_in.credentials.ticket
        return signed_in.response

    def change_own_password(self, old_password: str, new_password: str) -> None:
        """Change the password of the user who is signed in.

        :raises PasswordNotChanged: The server answered no, and perhaps why.
        :raises CallRefused: It refused with an ExceptionInfo.
        """
        reply = self.call(UserAgent.change_own_password, old_password, new_password)
        if reply.result is not True:
            raise PasswordNotChanged(reply.extra)


def _told_as_fault(fault: FaultReceived, reply: HttpAnswer) -> NotServices88:
    reason = quoted(fault.reason) or "It gave no reason."
    later = ""
    if reply.retry_after is not None and reply.retry_after.strip().isdecimal():
        wait = f"Try again in {quoted(reply.retry_after)} seconds."
        later = "" if wait in reason else f" {wait}"  # services88 says it in the reason as well
    return NotServices88(
        f"The server answered with a SOAP fault ({quoted(fault.code)}): {reason}{later}",
        reply.status,
    )


def _check_is_xml(reply: HttpAnswer) -> None:
    """Tell an answer of another kind by its status, the best hint that there is."""
    if reply.media_type in _XML and reply.content:
        return
    advice = _ADVICE.get(reply.status)
    if 300 <= reply.status < 400:
        where = f" to {quoted(reply.location)}" if reply.location else ""
        advice = (
            f"It would send the passwords on{where}, which is not followed. If you trust that "
            "address, give it as the URL."
        )
    if advice is None:
        advice = (
            "It seems to be another web server, or its address is another. Check the URL."
            if reply.status == 200
            else "Check the URL; if it is right, ask whoever runs the server."
        )
    raise NotServices88(_STATUS.format(reply.status) + " " + advice, reply.status)


_STATUS = "The server answered with HTTP status {} and nothing of Services88."
_NO_SERVICE = "There is no service at this address. Check the URL: it ends in /Remote/Services88."
_ADVICE = {
    401: "It wants another kind of sign-in before it lets anybody in. Ask whoever runs it.",
    403: "It lets nobody in from here. Ask whoever runs it.",
    404: _NO_SERVICE,
    405: _NO_SERVICE,
    410: _NO_SERVICE,
    429: "It has too much to do. Wait a while, then try again.",
    502: "What stands before the server cannot reach it. Try again later.",
    503: "It has too much to do, or is being maintained. Wait a while, then try again.",
    504: "What stands before the server cannot reach it. Try again later.",
}
