"""A sandbox on a database that is kept, of either kind; and the names it may be reached by."""

import json
from pathlib import Path
from typing import Any

from tests.databases import Databases
from tests.programs import program
from tests.running import sign_in
from tests.sandbox.posting import request

XML = {"Content-Type": "text/xml; charset=utf-8"}
JSON = {"Content-Type": "application/json"}


def test_snapshots_and_deleting(databases: Databases, tmp_path: Path) -> None:
    database = databases.empty()

    def api(url: str, method: str, path: str, body: Any = None) -> Any:
        content = None if body is None else json.dumps(body).encode()
        reply = request(url, method, f"/__sandbox/tenants{path}", content, JSON)
        assert reply.status < 300, reply.content
        return json.loads(reply.content) if reply.content else None

    arguments = ("sandbox", "--port", "0", "--database", database, "--allow-host", "test.example")
    with program(*arguments, folder=tmp_path) as running:
        url = running.wait_for(r"Admin API: (http://[\d.:]+)/__sandbox/docs")[1]
        jane = {"name": "JANE", "password": "old"}
        api(url, "POST", "", {"name": "acme", "users": [jane], "policy": {"history": 2}})
        api(url, "POST", "", {"name": "gone", "users": [jane]})
        path = "/acme/Remote/Services88/SoPrincipal.svc"
        assert request(url, "POST", path, sign_in("JANE", "old").encode(), XML).text("Ticket")
        request(url, "POST", path, sign_in("JANE", "wrong").encode(), XML)
        before = api(url, "GET", "/acme/users")
        assert (before[0]["tickets"], before[0]["failures"]) == (1, 1)
        api(url, "POST", "/acme/snapshots", {"name": "one"})
        api(url, "PATCH", "/acme/users/JANE", {"password": "new"})
        api(url, "DELETE", "/acme/users/JANE")
        api(url, "POST", "/acme/users", {"name": "JOHN", "password": "x"})
        api(url, "POST", "/acme/snapshots/one/restore", {})
        assert api(url, "GET", "/acme/users") == before
        api(url, "POST", "/acme/users", {"name": "JOHN", "password": "x"})
        api(url, "DELETE", "/gone")
        for host, status in (("test.example:8088", 200), ("other.example", 403)):
            reply = request(url, "GET", "/__sandbox/tenants", None, {"Host": host})
            assert reply.status == status
    with program(*arguments, folder=tmp_path) as running:
        url = running.wait_for(r"Admin API: (http://[\d.:]+)/__sandbox/docs")[1]
        assert [one["name"] for one in api(url, "GET", "")] == ["default", "acme"]
        assert [one["name"] for one in api(url, "GET", "/acme/users")] == ["JANE", "JOHN"]
