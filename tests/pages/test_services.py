"""Pages on the services are true: what they show is what the wire takes and gives."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from html import unescape
from typing import Any

import pytest
import zeep
from lxml import etree
from playwright.sync_api import expect

from services88.contract import AGENTS
from services88.contract.model import Agent, Operation
from services88.identity import tenants
from services88.pages.describing import envelopes
from services88.pages.snippets import snippets
from tests.databases import Databases
from tests.pages.conftest import Visiting, check_accessible
from tests.running import RunningServer, Starter, running

pytestmark = pytest.mark.one_database("the pages are made from the contract")

OPERATIONS = [
    pytest.param(agent, operation, id=f"{agent.name}.{operation.name}")
    for agent in AGENTS.values()
    for operation in agent.operations.values()
]
SERVICE = "/Remote/Services88/User.svc"


@pytest.fixture(scope="module")
def server(shared_databases: Databases) -> Iterator[RunningServer]:
    with running(shared_databases.new(), pages="all", strict_sites=True) as server:
        yield server


@pytest.mark.parametrize(("agent", "operation"), OPERATIONS)
def test_the_messages_shown_are_understood(
    server: RunningServer, agent: Agent, operation: Operation
) -> None:
    path = f"/Remote/Services88/{agent.name}.svc?op={operation.name}"
    page = server.request("GET", path)
    assert page.status == 200
    text = re.sub(r"<[^>]+>", "", page.content.decode())
    for shown in envelopes(agent, operation):
        assert shown.request in unescape(text)
        assert shown.response in unescape(text)
        reply = server.post(agent.name, shown.request, shown.media_type)
        assert reply.fault is None, (shown.name, reply.content)
        assert reply.status == 200
        refused = reply.text("ExceptionType")
        if refused is not None and agent.needs_ticket:
            assert refused.endswith("SoSessionException")
    for field in operation.request:
        assert f"<code>{field.name}</code>" in page.content.decode()


_RESEARCH = re.compile(r"unknown|presumably|the docs|undocumented|not documented|\[[DIU]\]", re.I)


@pytest.mark.parametrize(("agent", "operation"), OPERATIONS)
def test_a_page_says_what_this_server_does(
    server: RunningServer, agent: Agent, operation: Operation
) -> None:
    """Notes about the vendor's documentation stand apart, marked."""
    path = f"/Remote/Services88/{agent.name}.svc?op={operation.name}"
    article = server.request("GET", path).content.decode().partition("<article>")[2]
    # Messages; wire names and the texts of refusals; what a message is made from.
    for part in (r"<pre.*?</pre>", r"<table.*?</table>", r"<section class=.try.*?</section>"):
        article = re.sub(part, "", article, flags=re.DOTALL)
    said = [unescape(article), operation.summary, operation.details, operation.returns]
    said += [*operation.parameters.values(), *operation.left_open]
    assert [found for text in said for found in _RESEARCH.findall(text)] == []
    for note in operation.left_open:
        assert f'<p class="note small">{note}</p>' in unescape(article)


@pytest.mark.parametrize("agent", AGENTS.values(), ids=AGENTS)
def test_lists_and_descriptions_hold_no_research(server: RunningServer, agent: Agent) -> None:
    page = server.request("GET", f"/Remote/Services88/{agent.name}.svc").content.decode()
    assert _RESEARCH.findall(page) == []
    described = server.request("GET", f"/Remote/Services88/{agent.name}.svc?wsdl").content.decode()
    assert set(_RESEARCH.findall(described)) <= {"Unknown"}, "the name of an enumeration's value"


@pytest.mark.parametrize(("agent", "operation"), OPERATIONS)
def test_the_answers_shown_are_valid(
    agent: Agent, operation: Operation, clients: dict[str, zeep.Client]
) -> None:
    """A client generated from the WSDL reads them."""
    client = clients[agent.name]
    binding = client.service._binding
    shown = envelopes(agent, operation)[0]
    read = binding._operations[operation.name].process_reply(etree.fromstring(shown.response))
    assert read is not None or not operation.response


@pytest.fixture(scope="module")
def clients(server: RunningServer) -> dict[str, zeep.Client]:
    folder = f"{server.url}/Remote/Services88"
    client: Any = zeep.Client
    return {name: client(f"{folder}/{name}.svc?wsdl") for name in AGENTS}


@pytest.mark.parametrize(("agent", "operation"), OPERATIONS)
def test_the_zeep_snippet_runs(
    server: RunningServer, agent: Agent, operation: Operation, clients: dict[str, zeep.Client]
) -> None:
    url = f"{server.url}/Remote/Services88/{agent.name}.svc"
    (code,) = (one.code for one in snippets(agent, operation, url) if one.language == "python")
    code = code.replace("from zeep import Client\n", "")
    spoken = {"Client": lambda _: clients[agent.name], "ticket": "7T:none"}
    exec(code, spoken)
    assert "answer" in spoken


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
def test_the_curl_snippet_runs(server: RunningServer) -> None:
    agent = AGENTS["User"]
    operation = agent.operations["CanChangePassword"]
    url = server.url + SERVICE
    (code,) = (one.code for one in snippets(agent, operation, url) if one.language == "curl")
    server.add_user("CURT", "curt in the sandbox")
    ticket = server.sign_in("CURT", "curt in the sandbox")
    done = subprocess.run(
        ["bash", "-euc", f"TICKET='{ticket}'\n{code}"], capture_output=True, check=True, timeout=30
    )
    assert b"Succeeded>true</" in done.stdout


def test_the_node_snippets_are_javascript() -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed")
    codes = [
        one.code
        for agent in AGENTS.values()
        for operation in agent.operations.values()
        for one in snippets(agent, operation, "http://localhost/x.svc")
        if one.language == "node"
    ]
    check = (
        "const vm = require('vm');"
        f"for (const code of {json.dumps(codes)})"
        " new vm.Script('async () => {' + code.replace(/^import .*$/m, '') + '}');"
    )
    subprocess.run([node, "-e", check], check=True, timeout=60)


def test_the_service_page_lists_and_finds(server: RunningServer, visiting: Visiting) -> None:
    page = visiting(f"{server.url}/")
    check_accessible(page, "home")
    page.get_by_role("main").get_by_role("link", name="User", exact=True).click()
    links = page.locator(".operations a")
    assert links.count() == len(AGENTS["User"].operations)
    check_accessible(page, "service")
    page.get_by_label("Find an operation").press_sequentially("own password")
    expect(links.filter(visible=True)).to_have_text(["ChangeOwnPassword"])
    links.filter(visible=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("ChangeOwnPassword")
    check_accessible(page, "operation")
    page.goto(f"{server.url}{SERVICE}")
    expect(page.get_by_role("link", name="?wsdl")).to_have_attribute(
        "href", f"{server.url}{SERVICE}?wsdl"
    )


def test_finding_without_javascript(server: RunningServer, visiting: Visiting) -> None:
    page = visiting(f"{server.url}{SERVICE}", java_script_enabled=False)
    page.get_by_label("Find an operation").fill("nick")
    page.get_by_role("button", name="Find").click()
    expect(page.locator(".operations a")).to_have_text(["IsNickNameUnique"])


def test_trying_it_makes_the_real_call(server: RunningServer, visiting: Visiting) -> None:
    server.add_user("TRUDE", "trude tries it")
    page = visiting(f"{server.url}{SERVICE}?op=ChangeOwnPassword")
    signing = page.locator("[data-signing]")
    signing.get_by_label("Sign in as").fill("TRUDE")
    signing.get_by_label("Password").fill("wrong")
    signing.get_by_role("button", name="Sign in").click()
    expect(page.locator("[data-ticket]")).to_contain_text("Refused")
    signing.get_by_label("Password").fill("trude tries it")
    signing.get_by_role("button", name="Sign in").click()
    expect(page.locator("[data-ticket]")).to_contain_text("7T:")
    message = page.get_by_label("Message", exact=True)
    old = page.get_by_label("OldPassword")
    expect(old).to_have_value("the old password")
    old.fill("<&> is written as it must be")
    expect(message).to_have_value(re.compile("<OldPassword>&lt;&amp;&gt; is written"))
    old.fill("trude tries it")
    page.get_by_role("button", name="Send the call").click()
    expect(page.locator("[data-status]")).to_have_text(re.compile(r"^HTTP 200, [\d.]+ ms$"))
    expect(page.locator("[data-received]")).to_contain_text("<Response>true</Response>")
    check_accessible(page, "tried")
    assert server.sign_in("TRUDE", "the new password")
    page.goto(f"{server.url}{SERVICE}?op=CanChangePassword")  # the ticket is kept
    expect(page.get_by_label("Message", exact=True)).to_have_value(re.compile("<Ticket>7T:.{30,}"))


def test_outside_the_sandbox_there_is_nothing_to_try(start: Starter) -> None:
    server = start(pages="all")
    page = server.request("GET", f"{SERVICE}?op=ChangeOwnPassword")
    assert page.status == 200
    assert b"Try it" not in page.content
    assert b"__sandbox" not in page.content


@pytest.mark.parametrize("installation", ["onsite", "online"])
def test_every_link_leads_somewhere(start: Starter, visiting: Visiting, installation: str) -> None:
    server = start(pages="all", admin_pages=True, installation=installation)

    async def work() -> None:
        await tenants.add(server.identity, "Cust1")

    server.run(work())
    for path in ("/", f"/Cust1{SERVICE}", "/Cust1/password", "/password/done"):
        page = server.request("GET", path).content.decode()
        for link in set(re.findall(r'href="(/[^"]*)"', page)):
            assert (link, server.request("GET", unescape(link)).status) == (link, 200)
    shown = visiting(f"{server.url}/")
    check_accessible(shown, f"home-{installation}")
    template = f"{server.url}/{{tenant}}/Remote/Services88/User.svc"
    expect(shown.get_by_text(template)).to_have_count(1 if installation == "online" else 0)


def test_addresses(server: RunningServer, start: Starter) -> None:
    assert server.request("GET", f"{SERVICE}?op=changeownpassword").status == 200
    assert server.request("GET", f"{SERVICE}?op=Nonsense").status == 404
    assert server.request("GET", f"/nobody{SERVICE}").status == 404
    assert server.request("HEAD", SERVICE).content == b""
    assert server.request("GET", f"{SERVICE}?wsdl").headers["content-type"].startswith("text/xml")
    hostile = server.request("GET", f"{SERVICE}?q=%22%3E%3Cscript%3Ealert(1)%3C/script%3E")
    assert b"<script>alert" not in hostile.content
    no_wsdl = start(pages="all", wsdl=False)
    assert (
        b"?wsdl" not in no_wsdl.request("GET", SERVICE).content.split(b"<main")[1].split(b"<h2")[0]
    )
    assert b"?wsdl" not in no_wsdl.request("GET", "/").content
    assert no_wsdl.request("GET", f"{SERVICE}?wsdl").status == 405
