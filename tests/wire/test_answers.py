"""Every operation, in every version and dialect: valid, complete, and typed or not.

Called without parameters, so nearly all are refusals. Pairs of a dictionary have an anonymous type,
which xsi:type cannot name.
"""

from dataclasses import dataclass

import pytest
from lxml import etree

from services88.contract import AGENTS
from services88.contract import namespaces as ns
from services88.contract.model import Agent, Operation
from services88.soap.wsdl import wsdl
from tests.reference import problems
from tests.running import S11, S12, RunningServer, credentials, envelope
from tests.wire.conftest import Schemas
from tests.wire.operations import (
    EVERY,
    HEADERS,
    MEDIA,
    NIL,
    TNS,
    TYPE,
    documented,
    documented_credentials,
    names,
    parts,
)

_XS = f"{{{ns.XML_SCHEMA}}}"
_UNSUPPORTED = "not supported by this server yet"


@dataclass
class Answered:
    """An answer, and how it was asked for."""

    how: str
    soap: str
    documented: bool
    status: int
    content: bytes

    @property
    def refusal(self) -> str | None:
        headers, _ = parts(self.content)
        return headers[0].findtext(f"{TNS}Message")


@pytest.fixture(scope="module")
def answers(shared_server: RunningServer) -> dict[tuple[str, str], list[Answered]]:
    """Call everything without parameters: with a ticket and without, both versions and dialects."""
    shared_server.add_user("EVERYTHING", "a password to call with")
    ticket = shared_server.sign_in("EVERYTHING", "a password to call with")
    assert ticket
    given: dict[tuple[str, str], list[Answered]] = {}
    for agent in AGENTS.values():
        prefix = agent.prefixes[ns.SERVICES88]
        block = documented_credentials(agent, ticket)
        for name in agent.operations:
            for soap in (S11, S12):
                for how, in_samples_way, message in (
                    ("plain, nobody", False, envelope(f"<{name}/>", soap=soap)),
                    (
                        "plain, signed in",
                        False,
                        envelope(f"<{name}/>", credentials(ticket), soap),
                    ),
                    (
                        "documented, nobody",
                        True,
                        documented(agent, f"<{prefix}:{name}/>", soap=soap),
                    ),
                    (
                        "documented, signed in",
                        True,
                        documented(agent, f"<{prefix}:{name}/>", block, soap),
                    ),
                ):
                    reply = shared_server.post(agent.name, message, MEDIA[soap])
                    given.setdefault((agent.name, name), []).append(
                        Answered(how, soap, in_samples_way, reply.status, reply.content)
                    )
    return given


@pytest.fixture
def answered(
    answers: dict[tuple[str, str], list[Answered]], agent: Agent, operation: Operation
) -> list[Answered]:
    """All answers of one operation."""
    return answers[agent.name, operation.name]


@pytest.mark.parametrize(("agent", "operation"), EVERY)
def test_valid(schemas: Schemas, agent: Agent, answered: list[Answered]) -> None:
    for one in answered:
        headers, body = parts(one.content)
        found = [
            problem for part in (*headers, body) for problem in problems(schemas[agent.name], part)
        ]
        assert found == [], one.how


@pytest.mark.parametrize(("agent", "operation"), EVERY)
def test_complete(operation: Operation, answered: list[Answered]) -> None:
    for one in answered:
        headers, body = parts(one.content)
        root = etree.fromstring(one.content)
        assert one.status == 200, one.how
        assert etree.QName(root).namespace == one.soap, one.how
        assert names(headers) == HEADERS, one.how
        assert headers[2].text in ("true", "false"), one.how
        assert etree.QName(body).localname == operation.response_element, one.how
        assert names(list(body)) == [field.name for field in operation.response], one.how


@pytest.mark.parametrize(("agent", "operation"), EVERY)
def test_types_are_said_in_the_documented_dialect_only(answered: list[Answered]) -> None:
    for one in answered:
        headers, body = parts(one.content)
        values = [element for part in headers for element in part.iter()]
        values += [element for part in body for element in part.iter()]
        typed = [element for element in values if TYPE in element.attrib]
        if one.documented:
            untyped = [v for v in values if v not in typed and NIL not in v.attrib]
            assert [name for name in names(untyped) if not name.endswith("Pair")] == [], one.how
            assert typed, one.how
        else:
            assert typed == [], one.how


@pytest.fixture(scope="module")
def defaults() -> dict[str, dict[str, list[str | None]]]:
    """What every response holds where a call is refused, worked out from the schema alone."""
    found: dict[str, dict[str, list[str | None]]] = {}
    for name, agent in AGENTS.items():
        root = etree.fromstring(wsdl(agent, "http://localhost/"))
        enumerations = {
            str(simple.get("name")): str(
                simple.xpath("string(.//xs:enumeration/@value)", namespaces={"xs": ns.XML_SCHEMA})
            )
            for simple in root.iter(f"{_XS}simpleType")
        }
        plain = {"boolean": "false", "int": "0", "short": "0", "dateTime": "0001-01-01T00:00:00"}
        found[name] = {
            str(element.get("name")): [
                None
                if field.get("nillable") == "true"
                else {**enumerations, **plain}[str(field.get("type")).partition(":")[2]]
                for field in element.iterfind(f"{_XS}complexType/{_XS}sequence/{_XS}element")
            ]
            for element in root.iterfind(f".//{_XS}schema/{_XS}element")
        }
    return found


@pytest.mark.parametrize(("agent", "operation"), EVERY)
def test_a_refusal_holds_every_field_with_its_default(
    agent: Agent,
    operation: Operation,
    answered: list[Answered],
    defaults: dict[str, dict[str, list[str | None]]],
) -> None:
    refused = [one for one in answered if one.refusal is not None]
    if agent.needs_ticket:
        assert [one for one in answered if "nobody" in one.how and one not in refused] == []
    for one in refused:
        headers, body = parts(one.content)
        assert headers[0].findtext(f"{TNS}FriendlyText"), one.how
        assert (headers[0].findtext(f"{TNS}ExceptionType") or "").startswith("SuperOffice."), (
            one.how
        )
        assert headers[0].find(f"{TNS}StackTrace").get(NIL) == "true", one.how  # type: ignore[union-attr]
        assert headers[2].text == "false", one.how
        values = [None if part.get(NIL) == "true" else part.text for part in body]
        assert values == defaults[agent.name][operation.response_element], one.how


def test_what_is_not_supported_says_so(answers: dict[tuple[str, str], list[Answered]]) -> None:
    implicit = answers["SoPrincipal", "AuthenticateImplicit"]
    assert [one.how for one in implicit if _UNSUPPORTED not in (one.refusal or "")] == []
