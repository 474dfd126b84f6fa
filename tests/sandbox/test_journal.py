"""The journal: what was on the wire, bounded, and without a secret in it."""

import re
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services88.sandbox.journal import Cleared, Exchange, Journal
from services88.sandbox.masking import mask_message
from services88.testing import Services88, running
from tests.running import S12, change_own, credentials, envelope, sign_in
from tests.sandbox.posting import change, exchange, get_ticket, post, request

SECRET = "Zx-91-hidden-Qq"


def test_an_exchange_tells_all(services88: Services88) -> None:
    services88.add_user("JANE", password=SECRET)
    ticket = get_ticket(services88, "JANE", SECRET)
    change(services88, ticket, "wrong", "new")
    first, second = services88.calls()
    assert (first.operation, first.agent, first.user) == (
        "AuthenticateUsernamePassword",
        "SoPrincipal",
        "JANE",
    )
    assert first.arguments == {"UserName": "JANE", "Password": "***"}
    assert (first.method, first.status, first.client) == ("POST", 200, "127.0.0.1")
    assert first.path == f"/{services88.tenant}/Remote/Services88/SoPrincipal.svc"
    assert first.request == sign_in("JANE", "***").encode()
    assert b"<Ticket>***</Ticket>" in first.response
    assert first.succeeded
    assert first.duration_ms > 0
    assert ("content-type", "text/xml; charset=utf-8") in first.request_headers
    assert second.id > first.id
    assert second.at >= first.at
    assert (second.outcome, second.user, second.exception_type) == ("refused", "JANE", None)
    assert second.reason
    assert b"old-password-wrong" in second.response  # a dictionary's Value is no secret
    for call in (first, second):
        assert SECRET.encode() not in call.request + call.response
        assert ticket.encode() not in call.request + call.response
        assert SECRET not in repr(call.to_json())
    assert services88.calls(outcome="refused") == [second]
    assert services88.calls("ChangeOwnPassword", user="jane") == [second]
    assert services88.count(user="JOHN") == 0


def test_why_nobody_was_signed_in_is_told_here_only(services88: Services88) -> None:
    services88.add_user("JANE", "old")
    services88.add_user("GONE", "old", retired=True)
    services88.add_user("NEW")
    ticket = get_ticket(services88, "JANE", "old")
    answers = set()

    def why(name: str, password: str) -> str:
        answers.add(post(services88, "SoPrincipal", sign_in(name, password)).content)
        call = exchange(services88)
        assert call.outcome == "refused"
        return str(call.reason)

    assert "no user of this name" in why("NOBODY", "old")
    assert "user is retired" in why("GONE", "old")
    assert "has no password" in why("NEW", "old")
    services88.expire_tickets()
    assert "the ticket in place of the name" in why(ticket, "old")
    for _ in range(3):
        assert "the password is wrong" in why("JANE", "wrong")
    assert "there is a wait" in why("JANE", "old")
    assert services88.accepts("JANE", "old")
    services88.move_clock(3600)
    assert get_ticket(services88, "JANE", "old")
    for _ in range(100):
        services88.move_clock(3600)
        why("JANE", "wrong")
    services88.move_clock(3600)
    assert "the password is right, but disabled" in why("JANE", "old")
    assert len(answers) == 1


def test_secrets_are_kept_when_asked_for() -> None:
    with running(journal_secrets=True) as services88:
        services88.add_user("JANE", password=SECRET)
        ticket = get_ticket(services88, "JANE", SECRET)
        call = exchange(services88)
        assert call.arguments["Password"] == SECRET
        assert SECRET.encode() in call.request
        assert ticket.encode() in call.response


def test_a_generated_password_is_masked_in_the_answer(services88: Services88) -> None:
    services88.add_user("ADMIN", "admin", role="Administrator")
    number = services88.add_user("JANE").id
    ticket = get_ticket(services88, "ADMIN", "admin")
    body = f"<SetGeneratedPassword><AssociateId>{number}</AssociateId></SetGeneratedPassword>"
    reply = post(services88, "User", envelope(body, credentials(ticket)))
    assert len(reply.text("Response") or "") > 10
    assert b"<Response>***</Response>" in exchange(services88).response


@pytest.mark.parametrize(
    "message",
    [
        f"<OldPassword>{SECRET}",
        f"<x><OldPassword>{SECRET}</x>",
        f"<OldPassword><![CDATA[{SECRET}]]></OldPassword>",
        f"<OldPassword><!-- {SECRET} -->a</OldPassword><b/>",
        f"<OldPassword><a>{SECRET}</a></OldPassword>",
        f"<oldpassword>{SECRET}</oldpassword>",
        f"<a:OldPassword>{SECRET}</a:OldPassword>",
        f"<a:Pasword>{SECRET}</a:Pasword>",
        f"<NewPasswd>{SECRET}</NewPasswd>",
        f"<OldPassword {SECRET}",
        f'<OldPassword value="{SECRET}"/>',
        f"<OldPassword value='{SECRET}'>a</OldPassword>",
        f'<OldPassword a=">" b="{SECRET}">x</OldPassword>',
        f"<Ticket>{SECRET}</Ticket>",
        f"<ApplicationToken>{SECRET}</ApplicationToken>",
        f"<Credential><Value>{SECRET}</Value></Credential>",
        f'{{"password": "{SECRET}"}}',
        f"UserName=JANE&Password={SECRET}",
        f"<AccessToken>{SECRET}</AccessToken>",
        f'{{"password": "{SECRET}", "note": "<b>"}}',
        f"UserName=<b>&Password={SECRET}",
        f'<a><ChangeOwnPassword OldPassword="{SECRET}" x="1"/></a>',
        f"<a x='>' p:Password = '{SECRET}'/>",
        f'<a><b Password="{SECRET}',
        f"<a><b Password={SECRET}></b></a>",
        f"<a><Password><![CDATA[</Password>{SECRET}]]></Password><a",
        f"<a><Password><!-- </Password> -->{SECRET}</Password><a",
        f"<a><Password><Password>a</Password>{SECRET}</Password></a>",
        f"<a><{'p' * 70}:Password>{SECRET}</{'p' * 70}:Password></a>",
        f"<a><{'n' * 130}Password>{SECRET}</{'n' * 130}Password></a>",
        f'<!DOCTYPE a [<!ENTITY p "{SECRET}">]><a><Password>&p;</Password></a>',
        f'<!DOCTYPE a [<!ENTITY p "{SECRET}',
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-be"])
def test_malformed_messages_are_masked(services88: Services88, message: str, encoding: str) -> None:
    post(services88, "User", message.encode(encoding))
    kept = exchange(services88)
    for one in (kept.request, kept.request.replace(b"\0", b"")):
        assert SECRET.encode() not in one
    assert SECRET not in repr(kept.to_json())


def test_a_ticket_as_a_name_and_in_the_query_is_masked(services88: Services88) -> None:
    services88.add_user("JANE", "old")
    ticket = get_ticket(services88, "JANE", "old")
    path = f"/{services88.tenant}/Remote/Services88/SoPrincipal.svc?t={ticket}&password={SECRET}"
    post(services88, "", sign_in(ticket, ""), path=path, Authorization="Basic abc")
    call = exchange(services88)
    assert ticket not in repr(call.to_json())
    assert call.path.endswith("?***=***&password=***")
    assert dict(call.request_headers)["authorization"] == "***"


def test_whatever_the_form_of_an_address_its_secrets_are_masked(services88: Services88) -> None:
    services88.add_user("JANE", "old")
    ticket = get_ticket(services88, "JANE", "old")
    service = f"/{services88.tenant}/Remote/Services88/SoPrincipal.svc"
    escaped = quote(ticket, safe="")
    for path in (
        f"{service}/{ticket.replace('/', '')}",
        f"{service}?{ticket}",
        f"{service}?a={escaped}&b={escaped.replace('%3A', '%3a')}",
        f"{service}?pass%77ord={SECRET}&a=b;password={SECRET};c",
    ):
        headers = {"X-Api-Key": SECRET, "X-Authorization": SECRET,
                   "Referer": f"http://localhost/?password={SECRET}"}  # fmt: skip
        request(services88.server_url, "POST", path, sign_in("JANE", "x").encode(), headers)
        told = repr(exchange(services88).to_json())
        assert SECRET not in told
        for one in (ticket, escaped):
            assert one[-20:] not in told


NAMES = ("OldPassword", "NewPassword", "Password", "Ticket", "a:Password", "Pasword", "SECRET")


@given(
    secret=st.text(st.characters(min_codepoint=48, max_codepoint=0x2FFF,
                                 exclude_characters="<>&\"'"),
                   min_size=4, max_size=20).filter(lambda text: "***" not in text),
    name=st.sampled_from(NAMES),
    around=st.lists(st.sampled_from(["<a>", "</a>", "<UserName>x</UserName>", "text", "<!--", "-->",
                                     "<b c='d'>", "&amp;", "<", ">", "<?p?>"]), max_size=6),
    cut=st.integers(0, 30),
)  # fmt: skip
def test_whatever_stands_around_a_secret_it_is_masked(
    secret: str, name: str, around: list[str], cut: int
) -> None:
    body = f"<Envelope>{''.join(around)}<{name}>{secret}</{name}>".encode()
    body = body[: len(body) - cut] if cut < len(name) + 3 else body
    assert secret.encode() not in mask_message(body).replace(b"".join(map(str.encode, around)), b"")


def _exchange(number: int, size: int) -> Exchange:
    return Exchange(
        id=number, tenant="t", at=number, received=number, duration_ms=1.0, client="",
        method="POST",
        path="/", request_headers=(), request=b"x" * size, status=200, response_headers=(),
        response=b"", agent=None, operation=None, user=None, arguments={}, outcome="http",
        reason=None, exception_type=None, near_misses=(), fault=None,
    )  # fmt: skip


def test_the_journal_is_bounded_by_number_and_bytes() -> None:
    told: list[Exchange | Cleared] = []
    journal = Journal("t", told.append, most=10, most_bytes=20_000)
    for number in range(50):
        journal.add(_exchange(number, 1))
    assert [one.id for one in journal.find()] == list(range(40, 50))
    assert [one.id for one in journal.find(limit=2)] == [48, 49]
    assert journal.find(limit=0) == []
    journal.add(_exchange(50, 15_000))
    assert [one.id for one in journal.find()][-1] == 50
    assert sum(one.size for one in journal.find()) <= 20_000
    journal.add(_exchange(51, 100_000))
    assert [one.id for one in journal.find()] == [51]
    assert journal.get(50) is None
    journal.clear()
    assert journal.count() == 0
    assert len(told) == 53
    assert told[-1] == Cleared("t")


def test_soap_12_and_documented_envelopes_are_read_too(services88: Services88) -> None:
    services88.add_user("JANE", "old")
    message = sign_in("JANE", "old", S12)
    post(services88, "SoPrincipal", message, "application/soap+xml; charset=utf-8")
    assert exchange(services88).succeeded
    ticket = get_ticket(services88, "JANE", "old")
    documented = change_own(ticket, "old", "new").replace("<s:Header>", "")
    post(services88, "User", documented.replace("</s:Header>", ""))
    call = exchange(services88)
    assert (call.user, call.succeeded) == ("JANE", True)
    assert not re.search(rb">(old|new)<", call.request)


def test_descriptions_do_not_crowd_out_calls(services88: Services88) -> None:
    services88.add_user("JANE", "old")
    get_ticket(services88, "JANE", "old")
    path = f"/{services88.tenant}/Remote/Services88/User.svc?wsdl"
    for _ in range(100):
        reply = request(services88.server_url, "GET", path)
        assert len(reply.content) > 100_000
    assert services88.count("AuthenticateUsernamePassword") == 1
    call = exchange(services88)
    assert (call.method, call.status, call.outcome) == ("GET", 200, "http")
    assert reply.content.startswith(call.response)
