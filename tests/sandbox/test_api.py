"""The admin API over real HTTP: every endpoint, its errors, its description and its guard."""

import http.client
import json
import re
import threading
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from jsonschema import Draft202012Validator

from services88.sandbox.controls import ENDPOINTS
from services88.sandbox.embedding import SandboxServer
from tests.running import Reply, sign_in
from tests.sandbox.posting import request

JSON = {"Content-Type": "application/json"}


class Api:
    """A client in some other language; it checks every answer against the description."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.tenant = ""
        self.asked: set[str] = set()
        """Names of the endpoints that succeeded."""
        self.description = json.loads(request(url, "GET", "/__sandbox/openapi.json").content)

    def raw(self, method: str, path: str, body: Any = None, **headers: str) -> Reply:
        content = None if body is None else json.dumps(body).encode()
        return request(self.url, method, f"/__sandbox{path}", content, {**JSON, **headers})

    def __call__(self, method: str, path: str, body: Any = None, status: int = 200) -> Any:
        path = path.replace("{t}", f"/tenants/{self.tenant}")
        reply = self.raw(method, path, body)
        assert reply.status == status, reply.content
        answer = json.loads(reply.content) if reply.content else None
        self._check(method, path, status, answer)
        return answer

    def _check(self, method: str, path: str, status: int, answer: Any) -> None:
        bare = f"/__sandbox{path.partition('?')[0]}"
        for template, methods in self.description["paths"].items():
            if method.lower() in methods and re.fullmatch(
                re.sub(r"\{\w+\}", "[^/]+", template), bare
            ):
                operation = methods[method.lower()]
                break
        else:
            raise AssertionError(f"{method} {path} is not described")
        said = operation["responses"][str(status)]
        if answer is not None:
            schema = said["content"]["application/json"]["schema"]
            whole = {**schema, "components": self.description["components"]}
            Draft202012Validator(whole).validate(answer)
        if status < 300:
            self.asked.add(operation["operationId"])


@pytest.fixture
def api(services88_server: SandboxServer, request: pytest.FixtureRequest) -> Iterator[Api]:
    client = Api(services88_server.url)
    client.tenant = re.sub(r"[^A-Za-z0-9]+", "-", request.node.name).strip("-")[:60]
    client("POST", "/tenants", {"name": client.tenant, "company": "Ours"}, 201)
    yield client
    client("DELETE", "{t}", status=204)


def _sign_in(api: Api, name: str, password: str) -> Reply:
    path = f"/{api.tenant}/Remote/Services88/SoPrincipal.svc"
    headers = {"Content-Type": "text/xml; charset=utf-8"}
    return request(api.url, "POST", path, sign_in(name, password).encode(), headers)


def _users(api: Api) -> None:
    jane = {"name": "JANE", "password": "old", "role": "Administrator", "firstname": "Jane"}
    added = api("POST", "{t}/users", jane, 201)
    assert (added["name"], added["role"], added["has_password"]) == ("JANE", "Administrator", True)
    assert _sign_in(api, "JANE", "old").text("Ticket")
    assert api("GET", "{t}/users")[0]["tickets"] == 1
    assert api("POST", "{t}/tickets/expire", {"user": "JANE"}) == {"count": 1}
    assert api("POST", "{t}/users/JANE/accepts", {"password": "old"}) == {"accepts": True}
    api("PATCH", "{t}/users/JANE", {"password": "new", "unlock": True})
    assert api("POST", "{t}/users/JANE/accepts", {"password": "old"}) == {"accepts": False}
    assert api("PATCH", "{t}/users/JANE", {"retired": True})["retired"]
    assert api("GET", "{t}/users/jane")["retired"]
    api("DELETE", "{t}/users/JANE", status=204)
    assert api("GET", "{t}/users") == []


def _tenants(api: Api) -> None:
    assert api("GET", "/health") == {"status": "ok"}
    names = [one["name"] for one in api("GET", "/tenants")]
    assert {"default", api.tenant} <= set(names)
    told = api("GET", "{t}")
    assert told["path"] == f"/{api.tenant}/Remote/Services88"
    assert told["company"] == "Ours"
    other = {"name": "other", "users": [{"name": "A", "password": "x"}],
             "application_tokens": [{"name": "p", "token": "t"}], "policy": {"preset": "nist"},
             "options": {"application_tokens": True}, "clock": {"frozen": True},
             "faults": [{"effects": [{"kind": "busy"}]}]}  # fmt: skip
    assert api("POST", "/tenants", other, 201)["users"] == 1
    assert api("GET", "/tenants/other/faults")[0]["rule"]["effects"][0]["kind"] == "busy"
    api("DELETE", "/tenants/other/users/A", status=204)
    assert api("POST", "/tenants/other/reset", {})["users"] == 1
    api("DELETE", "/tenants/other", status=204)
    assert "no tenant other" in api("GET", "/tenants/other", status=404)["error"]
    failing = {"name": "other", "users": [{"name": "A", "role": "none such"}]}
    assert "no role none such" in api("POST", "/tenants", failing, 422)["error"]
    api("GET", "/tenants/other", status=404)  # nothing is left of it
    assert "cannot be deleted" in api("DELETE", "/tenants/default", status=422)["error"]


def _tokens_policy_and_options(api: Api) -> None:
    issued = api("POST", "{t}/application-tokens", {"name": "portal"}, 201)
    assert len(issued["token"]) > 20
    api("DELETE", f"{{t}}/application-tokens/{issued['id']}", status=204)
    assert api("GET", "{t}/application-tokens")[0] == {
        "id": issued["id"], "name": "portal", "token": None, "revoked": True,
    }  # fmt: skip
    api("DELETE", f"{{t}}/application-tokens/{issued['id']}", status=404)
    api("DELETE", "{t}/application-tokens/x", status=404)
    api("POST", "{t}/application-tokens", {"name": "portal", "token": "same"}, 201)
    api("POST", "{t}/application-tokens", {"name": "portal", "token": "same"}, 422)
    assert api("GET", "{t}/policy")["preset"] == "vendor"
    changed = api("PATCH", "{t}/policy", {"preset": "vendor-online", "history": 3})
    assert (changed["preset"], changed["history"]) == ("vendor-online", 3)
    assert api("PATCH", "{t}/options", {"application_tokens": True})["application_tokens"]
    api("POST", "{t}/users", {"name": "JANE", "password": "old"}, 201)
    assert _sign_in(api, "JANE", "old").text("Succeeded") == "false"


def _clock_and_snapshots(api: Api) -> None:
    assert api("PATCH", "{t}/clock", {"at": "2030-01-02T03:04:05Z", "frozen": True}) == {
        "now": "2030-01-02T03:04:05Z", "speed": 0.0, "frozen": True,
    }  # fmt: skip
    assert api("PATCH", "{t}/clock", {"move_seconds": 60})["now"] == "2030-01-02T03:05:05Z"
    assert api("POST", "{t}/snapshots", {"name": "one"}, 201) == {"name": "one"}
    assert api("PATCH", "{t}/clock", {"frozen": False, "speed": 2})["speed"] == 2.0
    assert not api("PATCH", "{t}/clock", {"reset": True})["now"].startswith("2030")
    api("POST", "{t}/snapshots/one/restore", {})
    assert api("GET", "{t}/clock")["now"] == "2030-01-02T03:05:05Z"
    assert api("GET", "{t}/snapshots") == [{"name": "one"}]
    api("DELETE", "{t}/snapshots/one", status=204)
    api("DELETE", "{t}/snapshots/one", status=404)
    api("POST", "{t}/snapshots/one/restore", {}, 404)
    api("PATCH", "{t}/clock", {"move_seconds": 1e15}, 422)


def _faults_and_journal(api: Api) -> None:
    api("POST", "{t}/users", {"name": "JANE", "password": "old"}, 201)
    rule = {"operation": "AuthenticateUsernamePassword",
            "effects": [{"kind": "busy"}, {"kind": "works"}]}  # fmt: skip
    first = api("POST", "{t}/faults", rule, 201)
    assert _sign_in(api, "JANE", "old").status == 503
    assert _sign_in(api, "JANE", "old").text("Ticket")
    assert api("GET", "{t}/faults")[0]["spent"]
    api("DELETE", f"{{t}}/faults/{first['id']}", status=204)
    api("DELETE", f"{{t}}/faults/{first['id']}", status=404)
    api("POST", "{t}/faults", rule, 201)
    api("DELETE", "{t}/faults", status=204)
    assert api("GET", "{t}/faults") == []
    told = api("GET", "{t}/journal")
    assert [one["outcome"] for one in told] == ["fault", "succeeded"]
    assert told[0]["fault"] == "busy"
    assert told[0]["arguments"] == {"UserName": "JANE", "Password": "***"}
    assert told[0]["near_misses"][0]["code"] == "action-missing"
    assert len(api("GET", "{t}/journal?outcome=succeeded&limit=1&user=JANE")) == 1
    assert api("GET", "{t}/journal/count?operation=ChangeOwnPassword") == {"count": 0}
    assert api("GET", f"{{t}}/journal/{told[1]['id']}") == told[1]
    api("GET", "{t}/journal/999999999", status=404)
    assert len(api("POST", "{t}/journal/wait", {"user": "JANE", "count": 2})) == 2
    late = api("POST", "{t}/journal/wait", {"count": 3, "timeout_seconds": 0.05}, 408)
    assert "there are 2 exchanges" in late["error"]
    api("DELETE", "{t}/journal", status=204)
    assert api("GET", "{t}/journal/count") == {"count": 0}


def test_every_endpoint(api: Api) -> None:
    tenant, asked = api.tenant, api.asked
    stories = (_users, _tenants, _tokens_policy_and_options, _clock_and_snapshots)
    for number, story in enumerate((*stories, _faults_and_journal)):
        api.tenant = f"story-{number}"
        api("POST", "/tenants", {"name": api.tenant, "company": "Ours"}, 201)
        story(api)
        api("DELETE", "{t}", status=204)
    api.tenant = tenant
    assert {one.name for one in ENDPOINTS} == asked


@pytest.mark.parametrize("name", ["a/b", "a/accepts", "DOMAIN\\jane", "100% #1?", "ü"])
def test_any_name_of_a_user_or_snapshot_can_stand_in_an_address(api: Api, name: str) -> None:
    in_address = quote(name, safe="")
    api("POST", "{t}/users", {"name": name, "password": "old"}, 201)
    user = f"{{t}}/users/{in_address}"
    assert api("GET", user)["name"] == name
    api("PATCH", user, {"password": "new"})
    assert api("POST", f"{user}/accepts", {"password": "new"}) == {"accepts": True}
    api("POST", "{t}/snapshots", {"name": name}, 201)
    api("DELETE", user, status=204)
    api("POST", f"{{t}}/snapshots/{in_address}/restore")
    assert [one["name"] for one in api("GET", "{t}/users")] == [name]
    api("DELETE", f"{{t}}/snapshots/{in_address}", status=204)
    assert api("GET", "{t}/snapshots") == []


def test_errors_name_the_field_and_never_the_value(api: Api) -> None:
    reply = api.raw("POST", f"/tenants/{api.tenant}/users", {"nam": "A", "password": ["hidden!"]})
    assert reply.status == 422
    told = json.loads(reply.content)
    assert {one["field"] for one in told["problems"]} == {"name", "nam", "password"}
    assert b"hidden!" not in reply.content
    assert api("POST", "{t}/faults", {"effects": [{"kind": "nonsense"}]}, 422)["problems"]
    for body in (b"{", b"\xff", b"[]", b'"x"'):
        path = f"/__sandbox/tenants/{api.tenant}/users"
        assert request(api.url, "POST", path, body, JSON).status == 422
    unknown = api.raw("GET", "/nothing")
    assert (unknown.status, json.loads(unknown.content)["remedy"]) == (
        404,
        "/__sandbox/docs lists them all.",
    )
    wrong = api.raw("PUT", "/tenants")
    assert (wrong.status, wrong.headers["allow"]) == (405, "GET, POST")


def test_what_is_too_large_is_refused(api: Api) -> None:
    body = b'{"name": "' + b"x" * 100_000 + b'"}'
    assert request(api.url, "POST", "/__sandbox/tenants", body, JSON).status == 413


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "", "[::2]"]
)
@pytest.mark.parametrize("path", ["", "/tenants", "/docs", "/openapi.json", "/events"])
def test_other_host_names_are_refused(api: Api, host: str, path: str) -> None:
    for headers in ({}, {"X-Forwarded-Host": "localhost"}):
        reply = api.raw("GET", path, None, Host=host, **headers)
        assert reply.status == 403


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:1", "127.0.0.1", "[::1]:8088", "LOCALHOST"]
)
def test_names_of_the_loopback_are_accepted(api: Api, host: str) -> None:
    assert api.raw("GET", "/tenants", None, Host=host).status == 200


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""]
)
def test_what_a_form_can_send_changes_nothing(api: Api, kind: str) -> None:
    for method, path in (
        ("POST", f"/tenants/{api.tenant}/users"),
        ("POST", f"/tenants/{api.tenant}/reset"),
        ("DELETE", f"/tenants/{api.tenant}"),
        ("PATCH", f"/tenants/{api.tenant}/clock"),
    ):
        reply = api.raw(method, path, {"name": "A"}, **{"Content-Type": kind})
        assert reply.status == 415
        assert "application/json" in json.loads(reply.content)["error"]
    assert api("GET", "{t}/users") == []


def test_pages_of_other_origins_are_refused(api: Api) -> None:
    path = f"/tenants/{api.tenant}/users"
    for origin in ("https://evil.example", "null", "http://localhost.evil.example"):
        assert api.raw("POST", path, {"name": "A"}, Origin=origin).status == 403
    assert api.raw("POST", path, {"name": "A"}, Origin="http://localhost:8088").status == 201
    headers = api.raw("GET", "/tenants", None, Origin="https://evil.example").headers
    assert not [name for name in headers if name.startswith("access-control")]
    assert api.raw("OPTIONS", path, None, Origin="https://evil.example").status in (404, 405)


def test_the_description_is_of_openapi_3_1(api: Api) -> None:
    described = api.description
    assert described["openapi"] == "3.1.0"
    names = [one["operationId"] for path in described["paths"].values() for one in path.values()]
    assert len(names) == len(set(names)) == len(ENDPOINTS) + 1
    for schema in described["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)
    refs = set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(described)))
    assert refs <= set(described["components"]["schemas"])
    assert not any(one.startswith("_") for one in refs)


def test_the_page_shows_every_endpoint_and_may_load_nothing(api: Api) -> None:
    reply = api.raw("GET", "/docs")
    page = reply.content.decode()
    for one in ENDPOINTS:
        assert f"/__sandbox{one.path}" in page
    assert "<script" not in page
    policy = reply.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    for target in re.findall(r'href="#([^"]+)"', page):
        assert f'id="{target}"' in page


def test_events_are_told_as_they_happen(api: Api) -> None:
    api("POST", "{t}/users", {"name": "JANE", "password": "old"}, 201)
    address = urlsplit(api.url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port or 0, timeout=30)
    connection.request("GET", f"/__sandbox/events?tenant={api.tenant}")
    response = connection.getresponse()
    assert response.headers["content-type"].startswith("text/event-stream")
    assert response.readline() == b": the exchanges from now on\n"
    response.readline()
    caller = threading.Thread(target=_sign_in, args=(api, "JANE", "old"))
    caller.start()
    event, number, data = (response.readline().decode() for _ in range(3))
    caller.join()
    assert event == "event: exchange\n"
    told = json.loads(data.removeprefix("data: "))
    assert number == f"id: {told['id']}\n"
    assert (told["operation"], told["user"]) == ("AuthenticateUsernamePassword", "JANE")
    api("DELETE", "{t}/journal", None, 204)
    assert response.readline() == b"\n"
    assert response.readline() == b"event: cleared\n"
    assert json.loads(response.readline().removeprefix(b"data: ")) == {"tenant": api.tenant}
    connection.close()
