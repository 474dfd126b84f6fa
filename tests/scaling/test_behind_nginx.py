"""Two servers, one of several workers, behind nginx on one PostgreSQL: as if they were one."""

import http.client
import re
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from queue import Empty

import pytest
import trustme

from tests.notices.smtp import SmtpServer
from tests.postgresql import postgresql
from tests.programs import Program, finished, serving
from tests.running import Reply, change_own, credentials, envelope, sign_in

pytestmark = pytest.mark.skipif(not shutil.which("nginx"), reason="there is no nginx")

EXAMPLE = Path(__file__).resolve().parents[2] / "deploy" / "nginx.conf"
PASSWORD = "vellum orbit quartz"


@dataclass
class Installation:
    """Two servers, what is in front of them, and the server that takes their mails."""

    servers: list[Program]
    port: int
    trusting: ssl.SSLContext
    folder: Path
    environment: dict[str, str]
    smtp: SmtpServer

    def post(self, agent: str, message: str, address: str = "127.0.0.1") -> Reply:
        """Make a call as a client does, over nginx, which takes the servers in turn."""
        connection = http.client.HTTPSConnection(
            "127.0.0.1",
            self.port,
            timeout=30,
            context=self.trusting,
            source_address=(address, 0),
        )
        try:
            headers = {"Content-Type": "text/xml; charset=utf-8", "Host": "crm.example.com"}
            path = f"/Remote/Services88/{agent}.svc"
            connection.request("POST", path, message.encode(), headers)
            response = connection.getresponse()
            return Reply(response.status, dict(response.getheaders()), response.read())
        finally:
            connection.close()

    def command(self, *arguments: str, stdin: str = "") -> str:
        done = finished(*arguments, folder=self.folder, stdin=stdin, **self.environment)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def add_user(self, name: str, *options: str) -> None:
        self.command("user", "add", name, "--password-stdin", *options, stdin=f"{PASSWORD}\n")

    def sign_in(
        self, name: str, password: str = PASSWORD, address: str = "127.0.0.1"
    ) -> str | None:
        reply = self.post("SoPrincipal", sign_in(name, password), address)
        assert reply.status == 200, reply.content
        return reply.text("Ticket")

    def is_known(self, ticket: str) -> bool:
        reply = self.post("User", envelope("<GetCredentialTypes/>", credentials(ticket)))
        assert reply.status == 200, reply.content
        return reply.text("ExceptionType") is None


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    folder = tmp_path_factory.mktemp("installation")
    authority = trustme.CA()
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    both = folder / "both.pem"
    issued = authority.issue_cert("crm.example.com", "127.0.0.1")
    issued.private_key_and_cert_chain_pem.write_to_path(str(both))
    with ExitStack() as stack:
        smtp = stack.enter_context(SmtpServer(None))
        smtp.listen()
        environment = {
            "SERVICES88_DATABASE": stack.enter_context(postgresql()).url,
            "SERVICES88_PASSWORD_POLICY": "vendor",
            "SERVICES88_SMTP_HOST": "127.0.0.1",
            "SERVICES88_SMTP_PORT": str(smtp.port),
            "SERVICES88_SMTP_SECURITY": "none",
            "SERVICES88_MAIL_FROM": "services88@example.com",
        }
        servers = [
            stack.enter_context(
                serving(
                    "--behind-proxy", "--workers", workers, folder=folder, tls=None, **environment
                )
            )
            for workers in ("2", "1")
        ]
        port = stack.enter_context(_nginx(folder, both, servers))
        yield Installation(servers, port, trusting, folder, environment, smtp)


class _nginx:  # noqa: N801 - used as a function
    """nginx with our example of a configuration, its addresses replaced by the test's."""

    def __init__(self, folder: Path, both: Path, servers: list[Program]) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self._port = int(free.getsockname()[1])
        text = EXAMPLE.read_text()
        upstream = "\n".join(f"    server 127.0.0.1:{one.port};" for one in servers)
        text = re.sub(r"    server 127\.0\.0\.1:8088;", upstream, text)
        text = re.sub(r"/etc/ssl/services88/\w+\.pem", str(both), text)
        text = text.replace("/var/log/nginx/", f"{folder}/")
        text = text.replace("listen 443 ssl", f"listen 127.0.0.1:{self._port} ssl")
        temporary = "\n".join(
            f"{kind}_temp_path {folder}/{kind};"
            for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        self._folder = folder
        self._configuration = folder / "nginx.conf"
        self._configuration.write_text(
            f"daemon off;\nmaster_process off;\npid {folder}/pid;\n"
            f"events {{}}\nhttp {{\n{temporary}\n{text}\n}}\n"
        )

    def __enter__(self) -> int:
        self._process = subprocess.Popen(
            ["nginx", "-c", self._configuration, "-e", self._folder / "error.log"]
        )
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", self._port)).close()
                break
            except ConnectionRefusedError:
                time.sleep(0.05)
        return self._port

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(30)


def test_a_ticket_of_one_server_is_known_to_the_other(installation: Installation) -> None:
    installation.add_user("JANE")
    ticket, other = installation.sign_in("JANE"), installation.sign_in("JANE")
    assert ticket
    assert other
    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(lambda _: installation.is_known(other), range(40)))
        reply = installation.post("User", change_own(ticket, PASSWORD, "marble lantern fjord"))
        assert reply.text("Response") == "true", reply.content
        assert not any(pool.map(lambda _: installation.is_known(other), range(40)))
        assert all(pool.map(lambda _: installation.is_known(ticket), range(40)))
    assert installation.sign_in("JANE") is None
    assert installation.sign_in("JANE", "marble lantern fjord")


def test_wrong_passwords_are_counted_once_for_all_servers(installation: Installation) -> None:
    installation.add_user("GUESSED")
    for _ in range(6):
        assert installation.sign_in("GUESSED", "a wrong one") is None
    # By now there is a wait, on whichever server the right one is tried.
    assert [installation.sign_in("GUESSED") for _ in range(4)] == [None] * 4
    installation.command("user", "unlock", "GUESSED")
    assert all(installation.sign_in("GUESSED") for _ in range(4))


def test_the_address_of_the_client_is_that_before_nginx(installation: Installation) -> None:
    installation.add_user("FROM")
    for number in (2, 3):
        assert installation.sign_in("FROM", address=f"127.0.0.{number}")
    signed_in = installation.command("audit", "list", "--event", "authn_login_success")
    assert "127.0.0.2" in signed_in
    assert "127.0.0.3" in signed_in
    installation.command("audit", "verify")


def test_every_mail_is_sent_once_by_whichever_server(installation: Installation) -> None:
    names = [f"MAILED{number}" for number in range(8)]
    for name in names:
        installation.add_user(name, "--email", f"{name.lower()}@example.com")

    def change(name: str) -> None:
        ticket = installation.sign_in(name)
        assert ticket
        reply = installation.post("User", change_own(ticket, PASSWORD, "marble lantern fjord"))
        assert reply.text("Response") == "true", reply.content

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(change, names))
    told = [installation.smtp.mails.get(timeout=30).recipient for _ in names]
    assert sorted(told) == sorted(f"{name.lower()}@example.com" for name in names)
    with pytest.raises(Empty):
        installation.smtp.mails.get(timeout=1)


def test_one_server_goes_and_nobody_notices(installation: Installation) -> None:
    installation.add_user("STAYING")
    ticket = installation.sign_in("STAYING")
    assert ticket
    leaving = installation.servers[1]
    with ThreadPoolExecutor(4) as pool:
        work = pool.map(lambda _: installation.is_known(ticket), range(400))
        leaving.process.terminate()
        assert all(work)
    leaving.wait()
    assert installation.sign_in("STAYING")
