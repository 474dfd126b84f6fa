"""Header blocks: which must be understood, which may be left out, and what comes back."""

import pytest
from lxml import etree

from services88.contract import namespaces as ns
from tests.running import S11, S12, Reply, RunningServer, change_own, credentials, envelope
from tests.wire.operations import HEADERS, MEDIA, NIL, TNS, names, parts

pytestmark = pytest.mark.one_database("it is about the reading of messages")

_ZONE = "<TimeZone><SoTimeZoneId>460</SoTimeZoneId></TimeZone>"
_BOTH = pytest.mark.parametrize("soap", [S11, S12])
_AGENTS = pytest.mark.parametrize(
    ("agent", "body"), [("SoPrincipal", "<GetSystemInfo/>"), ("User", "<IsUserNameValid/>")]
)


@pytest.fixture(scope="module")
def ticket(shared_server: RunningServer) -> str:
    shared_server.add_user("HEADERS", "first password")
    ticket = shared_server.sign_in("HEADERS", "first password")
    assert ticket
    return ticket


def call(server: RunningServer, header: str, soap: str = S11, agent: str = "SoPrincipal") -> Reply:
    body = "<GetSystemInfo/>" if agent == "SoPrincipal" else "<ChangeOwnPassword/>"
    return server.post(agent, envelope(body, header, soap), MEDIA[soap])


def assert_sender_fault(reply: Reply, soap: str) -> None:
    assert reply.status == (500 if soap == S11 else 400)
    code = reply.root.findtext(".//faultcode") or reply.root.findtext(f".//{{{S12}}}Value")
    assert code == ("s:Client" if soap == S11 else "s:Sender")


# --- mustUnderstand -------------------------------------------------------------------------------

_OURS = [
    "<ApplicationToken {}>token</ApplicationToken>",
    "<Credentials {}><Ticket>7T:unknown</Ticket></Credentials>",
    "<TimeZone {}><SoTimeZoneId>1</SoTimeZoneId></TimeZone>",
]
_ADDRESSING = [
    f'<a:{name} xmlns:a="{space}" {{}}>urn:x</a:{name}>'
    for space in (
        "http://www.w3.org/2005/08/addressing",
        "http://schemas.xmlsoap.org/ws/2004/08/addressing",
    )
    for name in ("Action", "To", "MessageID", "ReplyTo")
]


@_BOTH
@_AGENTS
@pytest.mark.parametrize("must", ["1", "true", "0"])
def test_ours_and_ws_addressing_are_understood_by_both_services(
    shared_server: RunningServer, soap: str, agent: str, body: str, must: str
) -> None:
    blocks = "".join([*_OURS, *_ADDRESSING]).format(*[f's:mustUnderstand="{must}"'] * 11)
    reply = shared_server.post(agent, envelope(body, blocks, soap), MEDIA[soap])
    assert reply.status == 200, reply.content
    assert reply.text("Succeeded") == ("true" if agent == "SoPrincipal" else "false")


_FOREIGN = [
    '<x:Session xmlns:x="urn:foreign" {}>secret</x:Session>',
    '<x:Security xmlns:x="http://docs.oasis-open.org/wss/2004/01/'
    'oasis-200401-wss-wssecurity-secext-1.0.xsd" {}/>',
    '<Credentials xmlns="urn:foreign" {}/>',
    "<NoHeaderOfOurs {}/>",
    f'<Credentials xmlns="{ns.SERVICES88.replace("88", "87")}" {{}}/>',
]


@_BOTH
@pytest.mark.parametrize("block", _FOREIGN)
@pytest.mark.parametrize("must", ["1", "true"])
def test_others_that_must_be_understood_are_a_fault(
    shared_server: RunningServer, soap: str, block: str, must: str
) -> None:
    reply = call(shared_server, block.format(f's:mustUnderstand="{must}"'), soap)
    assert reply.status == 500
    code = reply.root.findtext(".//faultcode") or reply.root.findtext(f".//{{{S12}}}Value")
    assert code == "s:MustUnderstand"
    assert b"secret" not in reply.content
    if soap == S12:  # SOAP 1.2 part 1, 5.4.8
        (named,) = reply.root.iterfind(f"{{{S12}}}Header/{{{S12}}}NotUnderstood")
        prefix, _, local = (named.get("qname") or "").partition(":")
        sent = etree.fromstring(envelope("", block.format(""), soap))[0][0]
        assert f"{{{named.nsmap[prefix]}}}{local}" == sent.tag


@_BOTH
@pytest.mark.parametrize("block", _FOREIGN)
@pytest.mark.parametrize("must", ["", 's:mustUnderstand="0"', 's:mustUnderstand="false"'])
def test_others_are_ignored(shared_server: RunningServer, soap: str, block: str, must: str) -> None:
    assert call(shared_server, block.format(must), soap).text("Succeeded") == "true"


def test_the_operation_is_not_carried_out_then(shared_server: RunningServer) -> None:
    shared_server.add_user("UNDERSTOOD", "old password")
    ticket = shared_server.sign_in("UNDERSTOOD", "old password")
    assert ticket
    block = _FOREIGN[0].format('s:mustUnderstand="1"')
    message = change_own(ticket, "old password", "new one").replace(
        "</s:Header>", block + "</s:Header>"
    )
    assert shared_server.post("User", message).status == 500
    assert shared_server.sign_in("UNDERSTOOD", "old password")


@pytest.mark.parametrize(
    ("soap", "role", "for_us"),
    [
        (S11, 's:actor="urn:somebody-else"', False),
        (S11, 's:actor=""', True),
        (S11, 's:actor="http://schemas.xmlsoap.org/soap/actor/next"', True),
        (S12, 's:role="urn:somebody-else"', False),
        (S12, 's:role="http://www.w3.org/2003/05/soap-envelope/role/none"', False),
        (S12, 's:role="http://www.w3.org/2003/05/soap-envelope/role/next"', True),
        (S12, 's:role="http://www.w3.org/2003/05/soap-envelope/role/ultimateReceiver"', True),
    ],
)
def test_what_is_for_somebody_else_need_not_be_understood(
    shared_server: RunningServer, soap: str, role: str, for_us: bool
) -> None:
    block = _FOREIGN[0].format(f's:mustUnderstand="1" {role}')
    assert call(shared_server, block, soap).status == (500 if for_us else 200)


@_BOTH
def test_must_understand_is_a_boolean(shared_server: RunningServer, soap: str) -> None:
    assert_sender_fault(call(shared_server, _FOREIGN[0].format('s:mustUnderstand="2"'), soap), soap)


# --- what may be absent, nil, empty, doubled ------------------------------------------------------

_NOTHING = ["", "<{}/>", "<{0}></{0}>", '<{} xsi:nil="true"/>', '<{} xsi:nil="1"/>', "<{0}> </{0}>"]


@pytest.mark.parametrize("token", _NOTHING)
@pytest.mark.parametrize("zone", _NOTHING)
def test_token_and_zone_may_be_absent_nil_or_empty(
    shared_server: RunningServer, ticket: str, token: str, zone: str
) -> None:
    header = token.format("ApplicationToken") + credentials(ticket) + zone.format("TimeZone")
    reply = call(shared_server, header, agent="User")
    assert reply.text("Succeeded") == "true"
    assert reply.text("SoTimeZoneId") == "1"


@_BOTH
@pytest.mark.parametrize(
    "block",
    [
        *_NOTHING,
        "<Credentials><Ticket/></Credentials>",
        '<Credentials><Ticket xsi:nil="true"/></Credentials>',
        "<Credentials><Ticket> </Ticket></Credentials>",
        "<Credentials><Other>7T:x</Other></Credentials>",
    ],
)
def test_credentials_may_be_so_too_and_are_asked_for(
    shared_server: RunningServer, soap: str, block: str
) -> None:
    reply = call(shared_server, block.format("Credentials"), soap, "User")
    assert reply.status == 200
    assert reply.text("Succeeded") == "false"
    assert "needs a ticket" in (reply.text("Message") or "")
    assert call(shared_server, block.format("Credentials"), soap).text("Succeeded") == "true"


def test_ours_may_come_in_any_order_beside_others(
    shared_server: RunningServer, ticket: str
) -> None:
    addressing = "".join(_ADDRESSING).format(*[""] * len(_ADDRESSING))
    header = _ZONE + addressing + credentials(ticket) + "<ApplicationToken>x</ApplicationToken>"
    reply = call(shared_server, header, agent="User")
    assert reply.text("Succeeded") == "true"
    assert reply.text("SoTimeZoneId") == "460"


@_BOTH
@pytest.mark.parametrize(
    "block",
    ["<ApplicationToken>x</ApplicationToken>", credentials("7T:x"), _ZONE, "<Credentials/>"],
)
@pytest.mark.parametrize("agent", ["User", "SoPrincipal"])
def test_a_doubled_block_is_a_sender_fault(
    shared_server: RunningServer, soap: str, block: str, agent: str
) -> None:
    assert_sender_fault(call(shared_server, block + block, soap, agent), soap)


def test_nobody_calls_with_the_second_of_two_tickets(
    shared_server: RunningServer, ticket: str
) -> None:
    for header in (
        credentials("7T:x") + credentials(ticket),
        credentials(ticket) + credentials("7T:x"),
        f"<Credentials><Ticket>{ticket}</Ticket><Ticket>7T:x</Ticket></Credentials>",
    ):
        reply = call(shared_server, header, agent="User")
        assert_sender_fault(reply, S11)
        assert ticket.encode() not in reply.content


# --- the four that come back ----------------------------------------------------------------------


@_BOTH
@pytest.mark.parametrize(
    ("agent", "body", "succeeded"),
    [
        ("SoPrincipal", "<GetSystemInfo/>", "true"),
        ("SoPrincipal", "<AuthenticateUsernamePassword/>", "true"),
        ("SoPrincipal", "<AuthenticateImplicit/>", "false"),
        ("User", "<ChangeOwnPassword/>", "false"),
    ],
)
def test_all_four_are_always_there(
    shared_server: RunningServer, soap: str, agent: str, body: str, succeeded: str
) -> None:
    reply = shared_server.post(agent, envelope(body, soap=soap), MEDIA[soap])
    headers, _ = parts(reply.content)
    assert names(headers) == HEADERS
    exception, extra, done, zone = headers
    assert (exception.get(NIL) == "true") is (succeeded == "true")
    assert extra.get(NIL) == "true"
    assert done.text == succeeded
    assert zone.findtext(f"{TNS}SoTimeZoneId") == "1"


@_BOTH
@_AGENTS
@pytest.mark.parametrize(
    ("inside", "number", "code"),
    [
        ("<SoTimeZoneId>261</SoTimeZoneId>", "261", None),
        (
            "<SoTimeZoneId>460</SoTimeZoneId>"
            "<SoTimeZoneLocationCode>US-NY</SoTimeZoneLocationCode>",
            "460",
            "US-NY",
        ),
        ("<SoTimeZoneLocationCode>N&amp;O</SoTimeZoneLocationCode>", "0", "N&O"),
    ],
)
def test_the_zone_comes_back(
    shared_server: RunningServer,
    soap: str,
    agent: str,
    body: str,
    inside: str,
    number: str,
    code: str | None,
) -> None:
    header = f"<TimeZone>{inside}</TimeZone>"
    reply = shared_server.post(agent, envelope(body, header, soap), MEDIA[soap])
    assert (reply.text("SoTimeZoneId"), reply.text("SoTimeZoneLocationCode")) == (number, code)
