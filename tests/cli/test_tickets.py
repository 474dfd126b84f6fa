"""``services88 ticket``: seen and ended from outside, while a server serves (ASVS 7.4.5)."""

import base64
import http.client
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from lxml import etree

from tests.audit.trail import Trail
from tests.programs import Program, serving
from tests.running import Reply, credentials, envelope, sign_in

PASSWORD = "vellum orbit quartz"


class Scene:
    """A server process, and the command line on its database."""

    def __init__(self, program: Program, trail: Trail) -> None:
        self.program, self.trail = program, trail

    def post(self, agent: str, message: str, address: str = "198.51.100.7") -> Reply:
        connection = http.client.HTTPConnection(self.program.host, self.program.port, timeout=30)
        headers = {"Content-Type": "text/xml; charset=utf-8", "X-Forwarded-For": address}
        path = f"/Remote/Services88/{agent}.svc"
        connection.request("POST", path, message.encode(), headers)
        response = connection.getresponse()
        reply = Reply(response.status, dict(response.getheaders()), response.read())
        connection.close()
        assert reply.status == 200
        return reply

    def ticket(self, name: str) -> str:
        ticket = self.post("SoPrincipal", sign_in(name, PASSWORD)).text("Ticket")
        assert ticket
        return ticket

    def lives(self, ticket: str) -> bool:
        reply = self.post("User", envelope("<GetCredentialTypes/>", credentials(ticket)))
        assert etree.fromstring(reply.content) is not None
        return reply.text("Succeeded") == "true"

    def listed(self, *arguments: str) -> list[list[str]]:
        lines = self.trail.done("ticket", "list", *arguments).splitlines()
        return [re.split(r" {2,}", line) for line in lines]


@pytest.fixture
def scene(database: str, tmp_path: Path) -> Iterator[Scene]:
    trail = Trail(database)
    for name in ("JANE", "JOE"):
        trail.done("user", "add", name, "--password-stdin", stdin=PASSWORD)
    with serving("--database", database, folder=tmp_path) as program:
        yield Scene(program, trail)


def test_revoked_tickets_are_refused_at_the_next_call(scene: Scene) -> None:
    first, second, joe = scene.ticket("JANE"), scene.ticket("JANE"), scene.ticket("JOE")
    (number, user, issued, *_), _second = scene.listed("jane")[1:]
    assert user == "JANE"
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ", issued)

    assert scene.trail.done("ticket", "revoke", "--id", number) == "Revoked 1 ticket.\n"
    assert [scene.lives(one) for one in (first, second, joe)] == [False, True, True]
    event = scene.trail.last("session_revoked")
    assert (event["user"], event["by_id"], event["count"], event["reason"]) == (
        "JANE", 0, 1, "operator",
    )  # fmt: skip
    third = scene.ticket("JANE")
    assert scene.trail.done("ticket", "revoke", "JANE") == "Revoked 2 tickets.\n"
    assert scene.trail.last("session_revoked")["count"] == 2
    assert [scene.lives(one) for one in (second, third, joe)] == [False, False, True]
    assert scene.trail.done("ticket", "revoke", "JANE") == "Revoked 0 tickets.\n"
    assert scene.trail.named().count("session_revoked") == 2, "of none nothing is told"

    fourth = scene.ticket("JANE")
    assert scene.trail.done("ticket", "revoke", "--all") == "Revoked 2 tickets.\n"
    assert not scene.lives(fourth)
    assert not scene.lives(joe)
    assert scene.listed("--all")[1:] == []
    assert scene.ticket("JANE"), "the password stays"
    scene.trail.verify()


def test_a_list_shows_where_from_and_nothing_of_the_ticket(scene: Scene) -> None:
    ticket = scene.ticket("JANE")
    scene.ticket("JOE")
    heading, jane, joe = scene.listed("--all")
    assert heading == ["ID", "USER", "ISSUED", "LAST USED", "EXPIRES", "FROM", "APPLICATION"]
    assert (jane[1], joe[1], jane[5]) == ("JANE", "JOE", "198.51.100.7")
    shown = scene.trail.done("ticket", "list", "JANE")
    guid, _, secret = base64.b64decode(ticket[3:]).decode().partition(";")
    ((stored,),) = scene.trail.sql("SELECT secret FROM credentials WHERE search_name = ?", guid)
    for part in (ticket[3:], guid.strip("{}"), secret, stored[3:11]):
        assert part not in shown


@pytest.mark.parametrize(
    "arguments",
    [
        ("list",),
        ("list", "JANE", "--all"),
        ("revoke",),
        ("revoke", "JANE", "--id", "1"),
        ("revoke", "--all", "--id", "1"),
        ("revoke", "--id", "99"),
        ("revoke", "--id", "0"),
        ("revoke", "NOBODY"),
        ("list", "NOBODY"),
    ],
)
def test_what_cannot_be_meant_is_refused(database: str, arguments: tuple[str, ...]) -> None:
    trail = Trail(database)
    trail.done("user", "add", "JANE", "--password-stdin", stdin=PASSWORD)
    result = trail.run("ticket", *arguments)
    assert result.exit_code in (1, 2)
    assert "Error:" in result.stderr
    assert "session_revoked" not in trail.named()


def test_a_ticket_of_another_tenant_is_none(scene: Scene) -> None:
    ticket = scene.ticket("JANE")
    ((number, *_),) = scene.listed("JANE")[1:]
    scene.trail.done("tenant", "add", "other")
    result = scene.trail.run("ticket", "revoke", "--id", number, "--tenant", "other")
    assert result.exit_code == 1
    assert "no valid ticket" in result.stderr
    assert scene.trail.done("ticket", "revoke", "--all", "--tenant", "other")
    assert scene.lives(ticket)
