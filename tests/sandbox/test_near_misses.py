"""Every departure from the contract that the journal names: what was sent, expected, accepted."""

import pytest

from services88.contract import namespaces as ns
from services88.testing import NearMiss, Services88
from tests.running import S11, S12, change_own, credentials, envelope, sign_in
from tests.sandbox.posting import exchange, get_ticket, post, request

SPACE = ns.SERVICES88
CHANGE = f"{SPACE}/User/ChangeOwnPassword"
ACTION = {"SOAPAction": f'"{CHANGE}"'}
WSSE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
OLD_NEW = "<OldPassword>old</OldPassword><NewPassword>new</NewPassword>"


def _misses(services88: Services88) -> dict[str, NearMiss]:
    return {one.code: one for one in exchange(services88).near_misses}


@pytest.fixture
def jane(services88: Services88) -> Services88:
    services88.add_user("JANE", password="old")
    return services88


@pytest.fixture
def ticket(jane: Services88) -> str:
    return get_ticket(jane, "JANE", "old")


def test_what_is_as_the_contract_says_has_none(jane: Services88, ticket: str) -> None:
    reply = post(jane, "User", change_own(ticket, "old", "new"), **ACTION)
    assert reply.text("Response") == "true"
    assert exchange(jane).near_misses == ()


def test_order_of_fields_as_in_the_issue(jane: Services88, ticket: str) -> None:
    turned = "<NewPassword>new</NewPassword><OldPassword>old</OldPassword>"
    body = f"<ChangeOwnPassword>{turned}</ChangeOwnPassword>"
    reply = post(jane, "User", envelope(body, credentials(ticket)), **ACTION)
    assert reply.text("Response") == "true"
    (miss,) = exchange(jane).near_misses
    assert miss.code == "field-order"
    assert miss.sent == "NewPassword came before OldPassword"
    assert miss.expected == "OldPassword, NewPassword"
    assert miss.accepted


def test_credentials_outside_the_header_as_in_the_issue(jane: Services88, ticket: str) -> None:
    message = change_own(ticket, "old", "new")
    message = message.replace("<s:Header>", "").replace("</s:Header>", "")
    reply = post(jane, "User", message, **ACTION)
    assert b"xsi:type" in reply.content
    (miss,) = exchange(jane).near_misses
    assert miss.message.startswith("Credentials stood outside Header")
    assert "accepted: as documented" in miss.message


def test_the_action_of_another_operation_as_in_the_issue(jane: Services88, ticket: str) -> None:
    action = f'"{SPACE}/User/SetPassword"'
    reply = post(jane, "User", change_own(ticket, "old", "new"), SOAPAction=action)
    assert reply.fault
    (miss,) = exchange(jane).near_misses
    assert miss.sent == "SOAPAction names SetPassword, the body ChangeOwnPassword"
    assert (miss.code, miss.expected, miss.accepted) == ("action-mismatch", CHANGE, False)


def _change(fields: str, ticket: str = "", soap: str = S11) -> str:
    body = f"<ChangeOwnPassword>{fields}</ChangeOwnPassword>"
    return envelope(body, credentials(ticket or "7T:x"), soap)


BODIES: list[tuple[str, str, bool, str]] = [
    ("field-missing", _change("<OldPassword>a</OldPassword>"), True, "has no NewPassword"),
    ("field-unknown", _change(OLD_NEW + "<Confirm>x</Confirm>"), True, "holds an element"),
    (
        "field-unknown",
        _change(OLD_NEW + "<oldPasword>x</oldPasword>"),
        True,
        "OldPassword, perhaps",
    ),
    (
        "field-namespace",
        _change(OLD_NEW.replace("<OldPassword>", '<OldPassword xmlns="">')),
        True,
        "no namespace",
    ),
    ("field-twice", _change(OLD_NEW + "<OldPassword>b</OldPassword>"), False, "given twice"),
    ("field-nil", _change(OLD_NEW.replace("word>old<", 'word xsi:nil="true"><')), True, "nil"),
    ("value", _change(OLD_NEW.replace(">old<", "><b>x</b><")), False, "cannot be read"),
    (
        "value-type",
        _change(OLD_NEW.replace("<OldPassword>", '<OldPassword xsi:type="xsd:int">')),
        True,
        "another type",
    ),
    ("text-beside-elements", _change("secret" + OLD_NEW), True, "holds text"),
    (
        "ticket-missing",
        envelope(f"<ChangeOwnPassword>{OLD_NEW}</ChangeOwnPassword>"),
        False,
        "Cred",
    ),
    (
        "ticket-missing",
        envelope(f"<ChangeOwnPassword>{OLD_NEW}</ChangeOwnPassword>", credentials("")),
        False,
        "missing or empty",
    ),
    ("ticket-form", _change(OLD_NEW, "not a ticket"), False, "form of a ticket"),
    (
        "header-twice",
        envelope("<ChangeOwnPassword/>", credentials("7T:x") * 2),
        False,
        "Credentials is given twice",
    ),
    (
        "header-namespace",
        envelope("<ChangeOwnPassword/>", '<Credentials xmlns="urn:x"/>'),
        True,
        "another namespace",
    ),
    (
        "must-understand",
        envelope("<ChangeOwnPassword/>", '<Odd xmlns="urn:x" s:mustUnderstand="1"/>'),
        False,
        "a header that is not known must be understood",
    ),
    ("header-unknown", envelope("<ChangeOwnPassword/>", "<Credential/>"), True, "Credentials"),
    (
        "ws-security",
        envelope("<ChangeOwnPassword/>", f'<Security xmlns="{WSSE}"/>'),
        True,
        "WS-Sec",
    ),
    (
        "headers-in-both",
        envelope("<ChangeOwnPassword/>", credentials("7T:x")).replace(
            "<s:Header>", f"{credentials('7T:y')}<s:Header>"
        ),
        False,
        "all of them in the Header",
    ),
    ("operation-unknown", envelope("<ChangePasswort/>"), False, "ChangePassword, perhaps"),
    ("operation-unknown", envelope("<Zyx/>"), False, "see its WSDL"),
    (
        "operation-namespace",
        envelope(f'<ChangeOwnPassword xmlns="{SPACE[:-1]}7"/>'),
        False,
        "Services87",
    ),
    (
        "operation-of-other-service",
        sign_in("JANE", "old"),
        False,
        "SoPrincipal.svc",
    ),
    ("body-parts", envelope("<ChangeOwnPassword/><ChangeOwnPassword/>"), False, "2 elements"),
    ("envelope-unknown", '<Envelope xmlns="urn:x"/>', False, "another namespace"),
    ("envelope-parts", f'<s:Envelope xmlns:s="{S11}"/>', False, "0 Body"),
    (
        "envelope-namespace",
        f'<s:Envelope xmlns:s="{S11}"><Body/><s:Body/></s:Envelope>',
        False,
        "no namespace",
    ),
    (
        "envelope-unknown-part",
        f'<s:Envelope xmlns:s="{S11}"><s:Body/><Extra/></s:Envelope>',
        True,
        "stood directly under Envelope",
    ),
    (
        "header-after-body",
        f'<s:Envelope xmlns:s="{S11}"><s:Body/><s:Header/></s:Envelope>',
        True,
        "Header first",
    ),
    ("not-xml", "<s:Envelope", False, "not well-formed"),
    ("not-xml", f"<!DOCTYPE x>{_change(OLD_NEW)}", False, "DOCTYPE"),
    ("action-missing", _change(OLD_NEW), True, CHANGE),
]


@pytest.mark.parametrize(("code", "message", "accepted", "says"), BODIES)
def test_in_the_message(
    jane: Services88, code: str, message: str, accepted: bool, says: str
) -> None:
    post(jane, "User", message)
    miss = next(
        one for one in exchange(jane).near_misses if one.code == code and says in one.message
    )
    assert miss.accepted is accepted
    assert miss.sent
    assert miss.expected
    assert ">old<" not in miss.message


def test_around_a_ticket_are_blanks(jane: Services88, ticket: str) -> None:
    message = change_own(f"\n {ticket} ", "old", "new")
    assert post(jane, "User", message, **ACTION).text("Response") == "true"
    assert list(_misses(jane)) == ["ticket-blanks"]


@pytest.mark.parametrize(
    ("content_type", "message", "status", "code", "accepted"),
    [
        ("application/json", sign_in("JANE", "old"), 415, "media-type", False),
        (None, sign_in("JANE", "old"), 415, "media-type", False),
        ("text/xml", sign_in("JANE", "old"), 200, "charset-missing", True),
        ("text/xml; charset=utf-8", sign_in("JANE", "old", S12), 200, "soap-version", True),
        ("application/soap+xml; charset=utf-8", sign_in("JANE", "old"), 415, "soap-version", False),
    ],
)
def test_in_the_media_type(
    jane: Services88,
    content_type: str | None,
    message: str,
    status: int,
    code: str,
    accepted: bool,
) -> None:
    assert post(jane, "SoPrincipal", message, content_type).status == status
    assert _misses(jane)[code].accepted is accepted


def test_in_the_action(jane: Services88, ticket: str) -> None:
    post(jane, "User", change_own(ticket, "old", "new"), SOAPAction=CHANGE)
    assert _misses(jane)["action-unquoted"].accepted


def test_in_the_address(jane: Services88) -> None:
    base = f"/{jane.tenant}"
    post(jane, "", sign_in("JANE", "old"), path=f"{base}/remote/services88/SOPRINCIPAL.SVC")
    assert exchange(jane).succeeded
    assert _misses(jane)["address-case"].expected == "/Remote/Services88/SoPrincipal.svc"
    reply = post(jane, "", sign_in("JANE", "old"), path=f"{base}/Remote/Services86/Person.svc")
    assert reply.status == 404
    assert not _misses(jane)["address-unknown"].accepted
    assert request(jane.server_url, "GET", f"{base}/Remote/Services88/User.svc").status == 405
    assert not _misses(jane)["method"].accepted
    assert request(jane.server_url, "GET", f"{base}/Remote/Services88/User.svc?wsdl").status == 200
    assert exchange(jane).near_misses == ()


def test_an_address_without_a_known_tenant_is_told_to_the_default_one(jane: Services88) -> None:
    path = "/nobodys/Remote/Services88/User.svc"
    assert post(jane, "", sign_in("JANE", "x"), path=path).status == 404
    told = request(jane.server_url, "GET", "/__sandbox/tenants/default/journal?limit=1")
    assert b"tenant-unknown" in told.content


def test_a_message_of_many_is_told_by_the_first_hundred(services88: Services88) -> None:
    message = envelope(f"<ChangeOwnPassword>{'<x/>' * 3000}</ChangeOwnPassword>")
    post(services88, "User", message)
    assert len(exchange(services88).near_misses) == 100
