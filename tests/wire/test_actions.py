"""The Body decides the operation; an action may be absent, but not another one."""

import pytest

from services88.contract import namespaces as ns
from tests.running import S11, S12, Reply, RunningServer, change_own, envelope
from tests.wire.operations import MEDIA

pytestmark = pytest.mark.one_database("it is about the reading of messages")

_ACTION = f"{ns.SERVICES88}/SoPrincipal/GetSystemInfo"
_OTHERS = [
    f"{ns.SERVICES88}/SoPrincipal/AuthenticateImplicit",
    f"{ns.SERVICES88}/User/GetSystemInfo",
    _ACTION.replace("Services88", "Services87"),
    f"{_ACTION}Response",
    _ACTION.lower(),
    "GetSystemInfo",
]


def call(server: RunningServer, soap: str, action: str | None, header: str = "") -> Reply:
    """Call GetSystemInfo with an action where its version of SOAP has one."""
    message = envelope("<GetSystemInfo/>", header, soap)
    if action is None:
        return server.post("SoPrincipal", message, MEDIA[soap])
    if soap == S11:
        return server.post("SoPrincipal", message, MEDIA[soap], SOAPAction=action)
    return server.post("SoPrincipal", message, f"{MEDIA[soap]}; action={action}")


def assert_not_supported(reply: Reply, soap: str) -> None:
    assert reply.status == (500 if soap == S11 else 400)
    if soap == S11:
        code = reply.root.find(".//faultcode")
    else:
        code = reply.root.find(f".//{{{S12}}}Subcode/{{{S12}}}Value")
        assert reply.root.findtext(f".//{{{S12}}}Code/{{{S12}}}Value") == "s:Sender"
    assert code is not None
    prefix, _, name = (code.text or "").partition(":")
    assert name == "ActionNotSupported"
    assert "addressing" in code.nsmap[prefix]


@pytest.mark.parametrize("soap", [S11, S12])
@pytest.mark.parametrize("action", [None, "", '""', f'"{_ACTION}"'])
def test_absent_empty_or_the_same_is_accepted(
    shared_server: RunningServer, soap: str, action: str | None
) -> None:
    assert call(shared_server, soap, action).text("Succeeded") == "true"


def test_a_soap_action_without_quotes_is_accepted(shared_server: RunningServer) -> None:
    assert call(shared_server, S11, _ACTION).text("Succeeded") == "true"


@pytest.mark.parametrize("soap", [S11, S12])
@pytest.mark.parametrize("action", _OTHERS)
def test_a_different_one_is_a_fault(shared_server: RunningServer, soap: str, action: str) -> None:
    assert_not_supported(call(shared_server, soap, f'"{action}"'), soap)


def test_a_right_soap_action_hides_no_wrong_action(shared_server: RunningServer) -> None:
    media = f'{MEDIA[S12]}; action="{_OTHERS[0]}"'
    message = envelope("<GetSystemInfo/>", soap=S12)
    reply = shared_server.post("SoPrincipal", message, media, SOAPAction=f'"{_ACTION}"')
    assert_not_supported(reply, S12)


def test_nothing_is_done_under_another_operations_name(shared_server: RunningServer) -> None:
    shared_server.add_user("ACTION", "old password")
    ticket = shared_server.sign_in("ACTION", "old password")
    assert ticket
    message = change_own(ticket, "old password", "new password")
    action = f'"{ns.SERVICES88}/User/IsUserNameValid"'
    assert_not_supported(shared_server.post("User", message, SOAPAction=action), S11)
    assert shared_server.sign_in("ACTION", "new password") is None


@pytest.mark.parametrize("soap", [S11, S12])
@pytest.mark.parametrize(
    "space",
    [
        "http://www.w3.org/2005/08/addressing",
        "http://schemas.xmlsoap.org/ws/2004/08/addressing",
        "http://schemas.microsoft.com/ws/2005/05/addressing/none",
    ],
)
@pytest.mark.parametrize("action", [_OTHERS[0], "urn:nonsense", ""])
def test_ws_addressing_action_is_ignored(
    shared_server: RunningServer, soap: str, space: str, action: str
) -> None:
    block = f'<a:Action xmlns:a="{space}">{action}</a:Action>'
    assert call(shared_server, soap, f'"{_ACTION}"', block).text("Succeeded") == "true"


@pytest.mark.parametrize("soap", [S11, S12])
@pytest.mark.parametrize(
    ("agent", "body"),
    [
        ("SoPrincipal", "<NoSuchOperation/>"),
        ("SoPrincipal", "<getsysteminfo/>"),
        ("SoPrincipal", "<GetSystemInfoResponse/>"),
        ("SoPrincipal", '<GetSystemInfo xmlns=""/>'),
        ("SoPrincipal", f'<GetSystemInfo xmlns="{ns.SERVICES88.replace("88", "87")}"/>'),
        ("SoPrincipal", "<ChangeOwnPassword/>"),
        ("User", "<AuthenticateUsernamePassword/>"),
        ("User", "<s:Fault/>"),
    ],
)
def test_what_is_no_operation_of_the_service_is_a_fault(
    shared_server: RunningServer, soap: str, agent: str, body: str
) -> None:
    assert_not_supported(shared_server.post(agent, envelope(body, soap=soap), MEDIA[soap]), soap)
