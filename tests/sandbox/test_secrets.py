"""Wherever a secret stands in a request of whatever shape, nothing that is kept holds it."""

import base64
import io
import json
import logging
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services88.contract import namespaces as ns
from services88.testing import Services88
from services88.web.logs import Lines
from tests.running import S11, S12
from tests.sandbox.posting import exchange, request

XSI = ns.XML_SCHEMA_INSTANCE
OPEN = f'<s:Envelope xmlns:s="{S11}" xmlns="{ns.SERVICES88}" xmlns:xsi="{XSI}">'
CALL = "<s:Body><ChangeOwnPassword>{}</ChangeOwnPassword></s:Body>"
OLD = "<OldPassword>{s}</OldPassword><NewPassword>new</NewPassword>"
SAVE = "<s:Body><SaveCredential><Credential>{}</Credential></SaveCredential></s:Body>"


def _call(inside: str) -> str:
    return OPEN + CALL.format(inside) + "</s:Envelope>"


SHAPES = [
    # {s} is the secret as text, {n} as a name, {r} as character references.
    _call(OLD),
    _call(OLD.replace("{s}", "{r}")),
    _call("<OldPassword><![CDATA[{s}]]></OldPassword>"),
    _call("<OldPassword>a<!-- {s} -->b</OldPassword>"),
    _call("<OldPassword><b>{s}</b></OldPassword>"),
    _call('<OldPassword xsi:nil="true">{s}</OldPassword>'),
    _call("<OldPassword>a</OldPassword><OldPassword>{s}</OldPassword>"),
    _call("<arg0>{s}</arg0>"),
    _call("<Old>{s}</Old><New>{r}</New>"),
    _call("{s}"),
    _call("<![CDATA[{s}]]>"),
    _call("<OldPassword>a</OldPassword>{s}"),
    _call("<!--{s}-->"),
    _call("<UserName>{s}</UserName>"),  # which this operation has not
    _call("<{n}>a</{n}>"),
    _call("<a {n}='1'/>"),
    _call("<OldPassword {n}='1' value='{s}' xsi:type='{s}'>a</OldPassword>"),
    _call("<OldPassword xsi:type='xsd:{n}' xmlns:{n}='urn:{n}'>a</OldPassword>"),
    _call("<x:{n} xmlns:x='urn:{s}'/><{n}:y xmlns:{n}='urn:y'/>"),
    OPEN.replace("<s:", "<{n}:").replace(":s=", ":{n}=") + "<{n}:Body/></{n}:Envelope>",
    f"<!-- {{s}} -->{_call(OLD)}",
    f"{_call(OLD)}<!-- {{s}} -->",
    f"{_call(OLD)}{{s}}",
    f"<?{{n}} {{s}}?>{_call(OLD)}",
    _call("<?pi {s}?>"),
    f'<?xml version="1.0" encoding="{{n}}"?>{_call("")}',
    f'<?xml version="1.0" encoding="utf-16"?>{_call(OLD)}',
    f'<?xml version="1.0" encoding="utf-8"?>\n<!--{{s}}-->\n{_call("<arg0>{s}</arg0>")}',
    f'<!DOCTYPE a [<!ENTITY p "{{s}}">]>{_call("<OldPassword>&p;</OldPassword>")}',
    f"<!DOCTYPE {{n}}>{_call(OLD)}",
    _call("<OldPassword>&{n};</OldPassword>"),
    OPEN + "<s:Header>{s}</s:Header>" + CALL.format("") + "</s:Envelope>",
    OPEN + "<s:Header><{n} s:mustUnderstand='1'/></s:Header>" + CALL.format("") + "</s:Envelope>",
    OPEN + "<s:Header><Credentials><Ticket>{s}</Ticket><Tickets>{s}</Tickets></Credentials>"
    "</s:Header>" + CALL.format(OLD) + "</s:Envelope>",
    OPEN + "<s:Header><ApplicationToken>{s}</ApplicationToken><TimeZone><SoTimeZoneId>{s}"
    "</SoTimeZoneId>{s}</TimeZone></s:Header>" + CALL.format("") + "</s:Envelope>",
    OPEN + "<Credentials>{s}</Credentials><TimeZone>{s}</TimeZone>" + CALL.format("") + "{s}"
    "</s:Envelope>",
    OPEN + "<s:Body>{s}</s:Body></s:Envelope>",
    OPEN + "<s:Body><{n}>a</{n}></s:Body></s:Envelope>",
    OPEN + "<s:Body><ChangeOwnPassword/><x>{s}</x></s:Body></s:Envelope>",
    OPEN + SAVE.format("<Value>{s}</Value><Type>7{s}</Type><{n}/>") + "</s:Envelope>",
    OPEN + "<s:Body><SetPassword><AssociateId>{s}</AssociateId><Password>{s}</Password>"
    "</SetPassword></s:Body></s:Envelope>",
    OPEN + "<s:Body><IsPasswordValid><Password>{s}</Password><UserName>x{s}</UserName>"
    "</IsPasswordValid></s:Body></s:Envelope>",
    OPEN + "<s:Body><GetUserInfo><{n}/><AssociateId>{s}</AssociateId></GetUserInfo></s:Body>"
    "</s:Envelope>",
    "<{n}/>",
    "<a>{s}</a>",
    "<OldPassword {s}",
    "<a b='{s}",
    "{s}",
    '{{"ChangeOwnPassword": {{"OldPassword": "{s}", "{n}": 1}}}}',
    "UserName=JANE&Password={s}&{n}=1",
    "--{n}\r\nContent-Disposition: form-data; name=password\r\n\r\n{s}\r\n--{n}--",
]
WHERE = [
    {},
    {"Authorization": "Basic {b}"},
    {"Authorization": "Bearer {q}", "Cookie": "a={q}"},
    {"X-Forwarded-For": "{q}", "X-Forwarded-Host": "{q}", "X-Api-Key": "{q}"},
    {"User-Agent": "client/1.0 {q}", "X-{n}": "1", "Referer": "http://a/?p={q}"},
    {"SOAPAction": '"urn:{q}"', "Accept": "{q}", "Accept-Language": "{q}"},
    {"SOAPAction": f'"{ns.SERVICES88}/User/{{q}}"', "Origin": "http://{q}"},
    {"Content-Type": "text/xml; charset={q}; action={q}"},
    {"Content-Type": "{q}/xml", "Cache-Control": "{q}"},
    {"Content-Type": "application/soap+xml; charset=utf-8; {q}=1"},
    {"Content-Type": "application/x-www-form-urlencoded"},
]
TAILS = ["", "?password={q}", "?{q}", "?{q}=1;b={q}", "?wsdl={q}", "/{q}", "?a=b%26pass%77ord={q}"]
ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-7", "cp037"]


class _Secret(str):
    """A secret, and the ways in which it can be written."""

    def spellings(self) -> set[str]:
        references = "".join(f"&#{ord(one)};" for one in self)
        hexadecimal = "".join(f"&#x{ord(one):x};" for one in self)
        encoded = [base64.b64encode(f"{before}{self}".encode()).decode() for before in ("", "J:")]
        return {
            str(self), references, hexadecimal, quote(self), json.dumps(self)[1:-1], *encoded,
            self.encode().decode("latin-1"), self[:6],
        }  # fmt: skip

    def fill(self, text: str) -> str:
        return (
            text.replace("{{", "{").replace("}}", "}").replace("{s}", self).replace("{n}", self)
            .replace("{r}", "".join(f"&#x{ord(one):x};" for one in self))
            .replace("{q}", quote(self))
            .replace("{b}", base64.b64encode(f"J:{self}".encode()).decode())
        )  # fmt: skip


SECRET = st.text("bcdfgjkqvwxzBCDFGJKQVWXZ0123456789.-äéß漢", min_size=6, max_size=14).map(
    lambda text: _Secret(f"Zq{text}")
)


@pytest.fixture(scope="module")
def logged() -> Iterator[io.StringIO]:
    """All that the server logs, for people and as JSON."""
    stream = io.StringIO()
    handlers = [logging.StreamHandler(stream) for _ in range(2)]
    level = logging.root.level
    for handler, as_json in zip(handlers, (True, False), strict=True):
        handler.setFormatter(Lines(as_json=as_json))
        logging.root.addHandler(handler)
    logging.root.setLevel(logging.INFO)
    yield stream
    logging.root.setLevel(level)
    for handler in handlers:
        logging.root.removeHandler(handler)


def _hold_no(secret: _Secret, services88: Services88, logged: io.StringIO) -> None:
    path = "/__sandbox/tenants/{}/journal?limit=1"
    told = [repr(exchange(services88)), repr(exchange(services88).to_json()), logged.getvalue()]
    for tenant in (services88.tenant, "default"):
        told.append(request(services88.server_url, "GET", path.format(tenant)).content.decode())
        told.append(json.dumps(json.loads(told[-1]), ensure_ascii=False))
    for one in told:
        for text in (one, one.replace("\0", "").replace("\\u0000", "").replace("\\x00", "")):
            for spelling in secret.spellings():
                assert spelling.lower() not in text.lower(), spelling


def _send(
    services88: Services88, secret: _Secret, shape: str, encoding: str, where: dict[str, str],
    tail: str, soap: str = S11, cut: int = 0,
) -> None:  # fmt: skip
    body = secret.fill(shape.replace(S11, soap)).encode(encoding, "replace")
    media = "text/xml" if soap == S11 else "application/soap+xml"
    headers = {"Content-Type": f"{media}; charset=utf-8"}
    if "utf-16-" in encoding:
        headers["Content-Type"] = f"{media}; charset={encoding.replace('16-', '16')}"
    headers |= {secret.fill(name).encode("ascii", "ignore").decode(): secret.fill(value)
                for name, value in where.items()}  # fmt: skip
    path = f"/{services88.tenant}/Remote/Services88/User.svc{secret.fill(tail)}"
    request(services88.server_url, "POST", path, body[: len(body) - cut], headers)


@pytest.mark.parametrize("shape", SHAPES)
def test_in_every_shape(services88: Services88, logged: io.StringIO, shape: str) -> None:
    for secret in (_Secret("Zq91.hidden-Qq"), _Secret("Zqäß漢hidden")):
        for soap in (S11, S12):
            _send(services88, secret, shape, "utf-8", {}, "", soap)
            _hold_no(secret, services88, logged)
    assert '"event": "call"' in logged.getvalue()


@settings(max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    secret=SECRET,
    shape=st.sampled_from(SHAPES),
    encoding=st.sampled_from(ENCODINGS),
    where=st.sampled_from(WHERE),
    tail=st.sampled_from(TAILS),
    soap=st.sampled_from([S11, S12]),
    cut=st.just(0) | st.integers(0, 60),
)
def test_anywhere(
    services88: Services88,
    logged: io.StringIO,
    secret: _Secret,
    shape: str,
    encoding: str,
    where: dict[str, str],
    tail: str,
    soap: str,
    cut: int,
) -> None:
    _send(services88, secret, shape, encoding, where, tail, soap, cut)
    _hold_no(secret, services88, logged)


def test_what_the_contract_says_is_no_secret_is_shown(services88: Services88) -> None:
    message = (
        f'<?xml version="1.0" encoding="utf-8"?>\n{OPEN}\n  <s:Header>\n    <TimeZone>'
        "<SoTimeZoneId>7</SoTimeZoneId></TimeZone>\n  </s:Header>\n  <s:Body>\n    <SetPassword>"
        "<AssociateId>42</AssociateId><Password>{}</Password></SetPassword>\n  </s:Body>\n"
        "</s:Envelope>"
    )
    path = f"/{services88.tenant}/Remote/Services88/User.svc?wsdl"
    headers = {
        "Content-Type": "text/xml; charset=utf-8",
        "SOAPAction": f'"{ns.SERVICES88}/User/SetPassword"',
        "User-Agent": "PHP-SOAP/8.2.1",
        "Accept-Encoding": "gzip, deflate",
        "Connection": "close",
    }
    for encoding in ("utf-8", "utf-16"):
        body = message.format("hidden").encode(encoding)
        sent = {**headers, "Content-Type": f"text/xml; charset={encoding}"}
        request(services88.server_url, "POST", path, body, sent)
        kept = exchange(services88)
        assert kept.request.decode() == message.format("***")
        assert kept.path == path
        assert {"gzip, deflate", "close", "PHP-SOAP/8.2.1"} <= set(
            dict(kept.request_headers).values()
        )
        assert "***" not in repr(kept.request_headers)
