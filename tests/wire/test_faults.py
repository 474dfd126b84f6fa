"""SOAP faults: their form in both versions, their HTTP status, and that they give nothing away."""

import asyncio
import threading

import pytest

from tests.databases import sql
from tests.running import (
    S11,
    S12,
    Reply,
    RunningServer,
    Starter,
    change_own,
    credentials,
    envelope,
    sign_in,
)
from tests.wire.operations import MEDIA

_BOTH = pytest.mark.parametrize("soap", [S11, S12])
_XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
_SECRETS = ["my-old-secret", "my-new-secret", "7T:my-ticket", "my-token"]
_CHANGE = (
    "<ChangeOwnPassword><OldPassword>my-old-secret</OldPassword>"
    "<NewPassword>my-new-secret</NewPassword>{}</ChangeOwnPassword>"
)
_BLOCKS = credentials("7T:my-ticket") + "<ApplicationToken>my-token</ApplicationToken>"
_WHOLE = envelope(_CHANGE.format(""), _BLOCKS)

# A message each, full of secrets; its SOAP 1.2 status; its code in SOAP 1.2.
_FAULTS = {
    "no XML": (_WHOLE.replace("</OldPassword>", ""), 400, "Sender"),
    "a DOCTYPE": ("<!DOCTYPE x>" + _WHOLE, 400, "Sender"),
    "doubled Credentials": (envelope(_CHANGE.format(""), _BLOCKS * 2), 400, "Sender"),
    "a doubled password": (
        envelope(_CHANGE.format("<NewPassword>my-new-secret</NewPassword>"), _BLOCKS),
        400,
        "Sender",
    ),
    "an element in a password": (
        _WHOLE.replace("my-old-secret<", "my-old-secret<my-new-secret/><"),
        400,
        "Sender",
    ),
    "an element in a ticket": (_WHOLE.replace("7T:my-ticket<", "7T:my-ticket<a/><"), 400, "Sender"),
    "an element in a token": (_WHOLE.replace("my-token<", "my-token<a/><"), 400, "Sender"),
    "a wrong type of value": (
        envelope(
            "<SetPassword><AssociateId>my-old-secret</AssociateId>"
            "<Password>my-new-secret</Password></SetPassword>",
            _BLOCKS,
        ),
        400,
        "Sender",
    ),
    "a wrong enumeration value": (
        envelope("<IsPasswordValid><Type>my-old-secret</Type></IsPasswordValid>", _BLOCKS),
        400,
        "Sender",
    ),
    "a wrong type of carrier": (
        envelope('<SaveUser><User xsi:type="my-old-secret"/></SaveUser>', _BLOCKS),
        400,
        "Sender",
    ),
    "an unknown operation": (
        envelope("<Change><OldPassword>my-old-secret</OldPassword></Change>", _BLOCKS),
        400,
        "Sender",
    ),
    "a header not understood": (
        envelope(
            _CHANGE.format(""),
            _BLOCKS + '<x:y xmlns:x="urn:x" s:mustUnderstand="1">my-old-secret</x:y>',
        ),
        500,
        "MustUnderstand",
    ),
    "no envelope": ("<my-old-secret>my-new-secret</my-old-secret>", 500, "VersionMismatch"),
}
_LOCAL_11 = {"Sender": "Client", "Receiver": "Server"}


def assert_fault(reply: Reply, soap: str, code: str) -> None:
    """Hold a fault to the form that its version of SOAP and clients in use ask for."""
    assert reply.root.tag == f"{{{soap}}}Envelope"
    (body,) = reply.root.iterfind(f"{{{soap}}}Body")
    (fault,) = body
    assert fault.tag == f"{{{soap}}}Fault"
    if soap == S11:
        assert [child.tag for child in fault] == ["faultcode", "faultstring"]
        assert [e for e in reply.root.iter() if _XML_LANG in e.attrib] == []
        said = fault[0].text or ""
        if not said.endswith("ActionNotSupported"):
            assert said == f"s:{_LOCAL_11.get(code, code)}"
            assert fault[0].nsmap["s"] == soap
    else:
        assert [child.tag for child in fault] == [f"{{{S12}}}Code", f"{{{S12}}}Reason"]
        assert fault.findtext(f"{{{S12}}}Code/{{{S12}}}Value") == f"s:{code}"
        assert fault.nsmap["s"] == soap
        assert fault[1][0].get(_XML_LANG) == "en"  # SOAP 1.2 part 1, 5.4.2.1 requires it
    assert reply.fault


@_BOTH
@pytest.mark.parametrize("what", _FAULTS)
def test_form_status_and_discretion(shared_server: RunningServer, soap: str, what: str) -> None:
    message, status, code = _FAULTS[what]
    reply = shared_server.post("User", message.replace(S11, soap), MEDIA[soap])
    assert reply.status == (500 if soap == S11 else status)
    assert reply.headers["content-type"] == MEDIA[soap]
    assert_fault(reply, soap, code)
    assert [secret for secret in _SECRETS if secret.encode() in reply.content] == []


@_BOTH
def test_an_answer_to_a_refused_call_repeats_no_secret(
    shared_server: RunningServer, soap: str
) -> None:
    for agent, message in (
        ("User", _WHOLE),
        ("SoPrincipal", sign_in("my-token", "my-old-secret")),
        ("SoPrincipal", sign_in("7T:my-ticket", "my-old-secret")),
    ):
        reply = shared_server.post(agent, message.replace(S11, soap), MEDIA[soap])
        assert reply.status == 200
        assert [secret for secret in _SECRETS if secret.encode() in reply.content] == []


@_BOTH
@pytest.mark.parametrize("table", ["tenant", "associate", "credentials"])
@pytest.mark.parametrize("media", ["its own", "text/xml"])
def test_without_its_database_the_server_says_when_to_try_again(
    start: Starter, soap: str, table: str, media: str
) -> None:
    server = start()
    server.add_user("GONE", "old password")
    ticket = server.sign_in("GONE", "old password")
    assert ticket
    sql(server.database, f"ALTER TABLE {table} RENAME TO taken_away")
    sent_as = MEDIA[soap] if media == "its own" else "text/xml; charset=utf-8"
    for agent, message in (
        ("SoPrincipal", sign_in("GONE", "old password", soap)),
        ("User", change_own(ticket, "old password", "new password", soap)),
    ):
        # Which tenant an address without a name means is not asked again.
        reply = server.post(agent, message, sent_as, site="/default")
        assert reply.headers["content-type"] == sent_as
        assert reply.status == 503
        assert_fault(reply, soap, "Receiver")
        seconds = reply.headers["retry-after"]
        assert f"again in {seconds} second" in (reply.fault or "")
        assert "password" not in (reply.fault or "")
        assert ticket not in (reply.fault or "")
        assert "taken_away" not in (reply.fault or "")
        assert table not in (reply.fault or "")


@_BOTH
def test_a_busy_server_says_when_to_try_again(shared_server: RunningServer, soap: str) -> None:
    hashing = shared_server.identity.hashing
    release, full = threading.Event(), threading.Event()

    async def fill() -> None:
        """Keep every place in the pool and its queue taken until released."""
        places = [asyncio.ensure_future(hashing.run(release.wait)) for _ in range(hashing.capacity)]
        asyncio.get_running_loop().call_soon(full.set)
        await asyncio.gather(*places, return_exceptions=True)

    work = asyncio.run_coroutine_threadsafe(fill(), shared_server.loop)
    try:
        assert full.wait(30)
        reply = shared_server.post("SoPrincipal", sign_in("SOMEBODY", "x", soap), MEDIA[soap])
    finally:
        release.set()
    work.result(30)
    assert reply.status == 503
    assert_fault(reply, soap, "Receiver")
    assert f"again in {reply.headers['retry-after']} second" in (reply.fault or "")
    again = shared_server.post("SoPrincipal", sign_in("SOMEBODY", "x", soap), MEDIA[soap])
    assert again.text("AuthenticationSucceeded") == "false"
