"""Values reach the domain exactly as sent; none can hide behind another."""

import pytest

from services88.contract import namespaces as ns
from services88.identity import accounts, tenants
from services88.store import credentials as credentials_store
from services88.store.credentials import PasswordRow
from tests.running import S11, S12, Reply, RunningServer, credentials, envelope
from tests.wire.operations import MEDIA

pytestmark = pytest.mark.one_database("it is about the reading of messages")

_BOTH = pytest.mark.parametrize("soap", [S11, S12])

# What is sent as the content of an element, and the password that it means.
_PASSWORDS = {
    "a comment": ("abc<!-- not this -->def", "abcdef"),
    "a comment first": ("<!-- not this -->abc", "abc"),
    "a comment last": ("abc<!-- not this -->", "abc"),
    "only a comment and a blank": ("<!-- not this --> ", " "),
    "comments everywhere": ("a<!--1-->b<!--2--><!--3-->c<![CDATA[d<!--4-->]]>", "abcd<!--4-->"),
    "CDATA": ("<![CDATA[a<b>&amp;]]>", "a<b>&amp;"),
    "CDATA among text": ("a<![CDATA[ ]]>b<![CDATA[]]]]><![CDATA[>]]>c", "a b]]>c"),
    "leading and trailing blanks": ("  both ends   ", "  both ends   "),
    "only blanks": ("   ", "   "),
    "tabs and lines": ("\ta\n b\t\n", "\ta\n b\t\n"),
    "markup": ("&amp;&lt;&gt;&quot;&apos;\"'", "&<>\"'\"'"),
    "escaped twice": ("&amp;amp;&amp;lt;", "&amp;&lt;"),
    "a carriage return": ("a&#13;b&#13;&#10;c", "a\rb\r\nc"),
    "a line end is one": ("a\r\nb\rc", "a\nb\nc"),  # XML 1.0, 2.11
    "references": ("&#112;&#x1F4A1;&#xe5;", "p💡å"),
    "not ASCII": ("blåbærgrød ελληνικά 密码 пароль", "blåbærgrød ελληνικά 密码 пароль"),
    "emoji": ("💡👩‍👩‍👧‍👦🏳️‍🌈", "💡👩‍👩‍👧‍👦🏳️‍🌈"),
    "digits": ("0012345", "0012345"),
    "a word of XML Schema": ("true", "true"),
    "unbreakable and zero width": ("\u00a0a\u200b\ufeff", "\u00a0a\u200b\ufeff"),
    "long": ("x" * 1000, "x" * 1000),
}
_PARAMETRIZED = pytest.mark.parametrize(("sent", "meant"), _PASSWORDS.values(), ids=_PASSWORDS)


def sign_in(server: RunningServer, name: str, password: str, soap: str = S11) -> Reply:
    """Sign in with the content of the Password element as it is given."""
    message = envelope(
        f"<AuthenticateUsernamePassword><UserName>{name}</UserName>"
        f"<Password>{password}</Password></AuthenticateUsernamePassword>",
        soap=soap,
    )
    return server.post("SoPrincipal", message, MEDIA[soap])


@pytest.fixture(scope="module")
def ticket(shared_server: RunningServer) -> str:
    shared_server.add_user("VALUES", "the first password")
    ticket = shared_server.sign_in("VALUES", "the first password")
    assert ticket
    return ticket


def change(server: RunningServer, ticket: str, inside: str, soap: str = S11) -> Reply:
    body = f"<ChangeOwnPassword>{inside}</ChangeOwnPassword>"
    return server.post("User", envelope(body, credentials(ticket), soap), MEDIA[soap])


# --- passwords ------------------------------------------------------------------------------------


@_PARAMETRIZED
def test_a_password_to_sign_in_with(
    shared_server: RunningServer, request: pytest.FixtureRequest, sent: str, meant: str
) -> None:
    name = f"P-{list(_PASSWORDS).index(request.node.callspec.id)}"
    shared_server.add_user(name, meant)
    assert sign_in(shared_server, name, sent).text("AuthenticationSucceeded") == "true"


@_PARAMETRIZED
def test_the_passwords_of_a_change(
    shared_server: RunningServer, ticket: str, sent: str, meant: str
) -> None:
    first = "<OldPassword>the first password</OldPassword>"
    there = change(shared_server, ticket, f"{first}<NewPassword>{sent}</NewPassword>")
    assert there.text("Response") == "true"
    row = shared_server.run(stored(shared_server))
    assert shared_server.run(shared_server.identity.hashing.verify(row.secret, meant))
    old = f"<OldPassword>{sent}</OldPassword>"
    back = change(shared_server, ticket, f"{old}<NewPassword>the first password</NewPassword>")
    assert back.text("Response") == "true"


async def stored(server: RunningServer) -> PasswordRow:
    """The stored hash of the user of this module."""
    tenant = await tenants.default(server.identity)
    user = await accounts.find(server.identity, tenant, "VALUES")
    row = await credentials_store.password_of(server.identity.database, user.associate_id)
    assert row is not None
    return row


@pytest.mark.parametrize("sent", ["Secret", "secret ", " secret", "secre", "secret\u200b", ""])
def test_almost_the_password_is_not_the_password(shared_server: RunningServer, sent: str) -> None:
    name = f"ALMOST-{len(sent)}-{sent.encode().hex()}"
    shared_server.add_user(name, "secret")
    assert sign_in(shared_server, name, sent).text("AuthenticationSucceeded") == "false"


@pytest.mark.parametrize("soap", [S11, S12])
def test_names_are_read_the_same_way(shared_server: RunningServer, soap: str) -> None:
    shared_server.add_user(f"<&> Åse {soap[-5:]}", "password of Åse")
    name = f"&lt;<!-- x -->&amp;<![CDATA[>]]> &#197;se {soap[-5:]}"
    reply = sign_in(shared_server, name, "password of Åse", soap)
    assert reply.text("Associate") == f"<&> Åse {soap[-5:]}"


# --- fields ---------------------------------------------------------------------------------------

_OLD, _NEW = "<OldPassword>the first password</OldPassword>", "<NewPassword>a b</NewPassword>"


def undo(server: RunningServer, ticket: str) -> None:
    first = "<NewPassword>the first password</NewPassword>"
    assert (
        change(server, ticket, f"<OldPassword>a b</OldPassword>{first}").text("Response") == "true"
    )


@_BOTH
@pytest.mark.parametrize(
    "inside",
    [
        _OLD + _NEW,
        _NEW + _OLD,
        f"<Unknown>x</Unknown>{_OLD}<Unknown/><Unknown/>{_NEW}<x:y xmlns:x='urn:x'><x:z/></x:y>",
        f"{_OLD}{_NEW}<NewPassword xmlns='urn:x'>another</NewPassword>",
        f"{_OLD}{_NEW}<newPassword>another</newPassword>",
        f"<!-- a --> text {_OLD} text {_NEW}",
        _OLD.replace(">", ' xsi:type="xsd:string">', 1) + _NEW.replace(">", ' xsi:nil="false">', 1),
        _OLD.replace(">", ' xsi:type="xsd:int">', 1)
        + _NEW.replace(">", ' xsi:type="nowhere:declared" other="x">', 1),
        f"<t:OldPassword xmlns:t='{ns.SERVICES88}'>the first password</t:OldPassword>{_NEW}",
    ],
)
def test_what_is_read_leniently(
    shared_server: RunningServer, ticket: str, soap: str, inside: str
) -> None:
    assert change(shared_server, ticket, inside, soap).text("Response") == "true"
    undo(shared_server, ticket)


@_BOTH
@pytest.mark.parametrize(
    "inside",
    [
        f"{_OLD}{_NEW}<NewPassword>another</NewPassword>",
        f"{_OLD}{_OLD}{_NEW}",
        f"{_OLD}<NewPassword xsi:nil='true'/>{_NEW}",
        f"{_OLD}<NewPassword>a<b>b</b></NewPassword>",
    ],
)
def test_what_could_be_read_in_two_ways_is_a_fault(
    shared_server: RunningServer, ticket: str, soap: str, inside: str
) -> None:
    reply = change(shared_server, ticket, inside, soap)
    assert reply.status == (500 if soap == S11 else 400)
    assert reply.fault
    assert "the first password" not in reply.fault
    assert "another" not in reply.fault
    assert sign_in(shared_server, "VALUES", "the first password").text("Ticket")


@_BOTH
@pytest.mark.parametrize(
    "new", ["", "<NewPassword/>", '<NewPassword xsi:nil="true"/>', '<NewPassword xsi:nil="1"/>']
)
@pytest.mark.parametrize("nil", ["", ' xsi:type="xsd:string"'])
def test_without_a_new_password_the_answer_is_false(
    shared_server: RunningServer, ticket: str, soap: str, new: str, nil: str
) -> None:
    reply = change(shared_server, ticket, _OLD + new.replace("/>", f"{nil}/>"), soap)
    assert reply.text("Response") == "false"
    assert reply.text("Succeeded") == "true"
    assert reply.extra["Reason"] == "policy"


# --- types of values ------------------------------------------------------------------------------

_WRONG = {
    "int": "<IsPasswordValid><AssociateId>{}</AssociateId></IsPasswordValid>",
    "enumeration": "<IsPasswordValid><Type>{}</Type></IsPasswordValid>",
    "boolean": "<SaveUser><User><Deleted>{}</Deleted></User></SaveUser>",
    "short": "<SaveUser><User><Rank>{}</Rank></User></SaveUser>",
    "dateTime": "<SaveUser><User><Lastlogin>{}</Lastlogin></User></SaveUser>",
}


@_BOTH
@pytest.mark.parametrize(
    ("kind", "value"),
    [
        *[("int", v) for v in ("", "x", "1.0", "2147483648", "-2147483649", "0x10", "1 2", "१")],
        *[("enumeration", v) for v in ("", "Nonsense", "internalassociate", "1")],
        *[("boolean", v) for v in ("", "yes", "TRUE", "2")],
        *[("short", v) for v in ("32768", "-32769", "")],
        *[("dateTime", v) for v in ("", "yesterday", "2026-02-30T00:00:00", "2026-01-31")],
    ],
)
def test_a_wrong_type_of_value_is_a_sender_fault(
    shared_server: RunningServer, ticket: str, soap: str, kind: str, value: str
) -> None:
    body = _WRONG[kind].format(value)
    reply = shared_server.post("User", envelope(body, credentials(ticket), soap), MEDIA[soap])
    assert reply.status == (500 if soap == S11 else 400)
    code = reply.root.findtext(".//faultcode") or reply.root.findtext(f".//{{{S12}}}Value")
    assert code in ("s:Client", "s:Sender")


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        *[("int", v) for v in ("0", "-1", "+1", " 1 ", "2147483647", "-2147483648", "007")],
        *[("enumeration", v) for v in ("InternalAssociate", " Unknown\n")],
        *[("boolean", v) for v in ("true", "false", "1", "0", " true ")],
        *[("short", v) for v in ("32767", "-32768")],
        *[
            ("dateTime", v)
            for v in (
                "2026-01-31T13:45:00",
                "0001-01-01T00:00:00",
                "9999-12-31T23:59:59.9999999",
                "2026-01-31T13:45:00Z",
                "2026-01-31T13:45:00.1+02:00",
            )
        ],
    ],
)
def test_every_way_to_write_a_value_is_read(
    shared_server: RunningServer, ticket: str, kind: str, value: str
) -> None:
    body = _WRONG[kind].format(value)
    assert shared_server.post("User", envelope(body, credentials(ticket))).status == 200


@pytest.mark.parametrize(
    ("attribute", "status"),
    [
        ('xsi:type="User"', 200),
        ('xmlns:t="{0}" xsi:type="t:User"', 200),
        ('xsi:nil="true"', 200),
        ('xsi:type="Role"', 500),
        ('xsi:type="xsd:string"', 500),
        ('xsi:type="nowhere:User"', 500),
    ],
)
def test_the_type_of_a_carrier_is_understood(
    shared_server: RunningServer, ticket: str, attribute: str, status: int
) -> None:
    body = f"<SaveUser><User {attribute.format(ns.SERVICES88)}/></SaveUser>"
    assert shared_server.post("User", envelope(body, credentials(ticket))).status == status


def test_a_value_of_the_answer_is_escaped(shared_server: RunningServer) -> None:
    name = "]]> & <b> \"'"
    shared_server.add_user("ESCAPED", "password", firstname=name, lastname="Ünïcödé 💡")
    reply = sign_in(shared_server, "ESCAPED", "password")
    assert reply.text("FullName") == f"{name} Ünïcödé 💡"
