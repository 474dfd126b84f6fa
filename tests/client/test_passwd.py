"""``services88 passwd`` against the real server, in the clear and over TLS."""

import ssl
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import trustme

from tests.process import ServerProcess, serve
from tests.programs import finished, serving

OLD = "correct horse battery"
NEW = "pässwörd ☃ 💡 <&>\"' e\u0301 "

Passwd = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with serve(tmp_path_factory.mktemp("served")) as running:
        yield running


@pytest.fixture
def passwd(tmp_path: Path) -> Passwd:
    """Run the command; what it says never holds a password."""

    def run(url: str, user: str, old: str, new: str, *options: str) -> subprocess.CompletedProcess:  # type: ignore[type-arg]
        command = ("passwd", "--url", url, "--user", user, "--password-stdin", *options)
        done = finished(*command, folder=tmp_path, stdin=f"{old}\n{new}\n")
        for secret in (old, new):
            assert not secret or secret not in done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        assert not list(tmp_path.glob("*.sqlite3")), "a client needs no database"
        return done

    return run


def assert_refused(done: "subprocess.CompletedProcess[str]", *said: str) -> None:
    assert done.returncode == 1, done.stdout
    assert done.stdout == ""
    assert done.stderr.startswith("Error: ")
    for part in said:
        assert part in done.stderr


@pytest.mark.parametrize(
    "end",
    ["", "/", "/Remote/Services88", "/remote/services88/User.svc", "/Remote/Services88/x.svc?wsdl"],
)
def test_a_password_is_changed_at_every_form_of_the_url(
    server: ServerProcess, passwd: Passwd, end: str
) -> None:
    user = f"U{abs(hash(end))}"
    server.add_user(user, OLD)
    done = passwd(server.url + end, user, OLD, NEW)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"The server has changed the password of {user}.\n"
    assert_refused(passwd(server.url, user, OLD, NEW), "does not accept this user name")
    assert passwd(server.url, user, NEW, OLD).returncode == 0


def test_refusals_say_why(server: ServerProcess, passwd: Passwd) -> None:
    server.add_user("JANE", OLD)
    said = passwd(server.url, "JANE", OLD, "short")
    assert_refused(said, "did not change the password: ", "15 characters", "Reason: policy")
    assert_refused(passwd(server.url, "JANE", "wrong one", NEW), "Nothing was changed")
    assert_refused(passwd(server.url, "NOBODY", OLD, NEW), "does not accept this user name")
    assert_refused(passwd(server.url, "JANE", OLD, ""), "The new password is empty")
    assert_refused(passwd(server.url, "JANE", OLD, "bell \a rings"), "cannot be sent", "XML")
    assert passwd(server.url, "JANE", OLD, NEW).returncode == 0


def test_a_wrong_url_is_told_with_a_remedy(server: ServerProcess, passwd: Passwd) -> None:
    for url, *said in (
        (server.url + "/elsewhere/here", "404", "no service at this address", "Check the URL"),
        (server.url + "/Remote/Services84", "Services84", "write Services88"),
        (server.url.replace("http:", "https:"), "does not speak TLS", "https at all"),
        ("http://127.0.0.1:1/", "cannot be reached", "refused", "Check the host and port"),
        ("https://host.invalid/", "no host host.invalid", "Check the URL"),
        ("http://crm.example.com/", "everybody on the way", "--insecure-http"),
        ("https://jane:hush@crm.example.com/", "user or password in it", "Write it like"),
        ("crm.example.com", "must begin with https://", "Write it like"),
        ("https://[::1", "no URL", "Write it like"),
        ("https://crm.example.com/?x=y", "?wsdl", "Write it like"),
        ("file:///etc/passwd", "must begin with https://"),
    ):
        done = passwd(url, "JANE", OLD, NEW)
        assert_refused(done, *said)
        assert "hush" not in done.stderr


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def tls_server(tmp_path: Path, authority: trustme.CA) -> Iterator[str]:
    """A server over TLS with the user JANE, named ``localhost``."""
    folder = tmp_path / "tls"
    folder.mkdir()
    issued = authority.issue_cert("localhost", "127.0.0.1")
    issued.private_key_pem.write_to_path(folder / "key.pem")
    (folder / "key.pem").chmod(0o600)
    issued.cert_chain_pems[0].write_to_path(folder / "chain.pem")
    database = f"sqlite:///{folder / 'tls.db'}"
    command = ("user", "add", "JANE", "--password-stdin", "--database", database)
    assert finished(*command, folder=folder, stdin=OLD).returncode == 0
    client = ssl.create_default_context()
    authority.configure_trust(client)
    pair = ("--tls-certificate", "chain.pem", "--tls-key", "key.pem")
    with serving("--database", database, *pair, folder=folder, tls=client) as program:
        yield f"https://localhost:{program.port}"


def test_over_tls_the_certificate_is_verified(
    tls_server: str, authority: trustme.CA, passwd: Passwd, tmp_path: Path
) -> None:
    assert_refused(passwd(tls_server, "JANE", OLD, NEW), "is not trusted", "--ca-file")
    other, ours = tmp_path / "other.pem", tmp_path / "ours.pem"
    trustme.CA().cert_pem.write_to_path(other)
    authority.cert_pem.write_to_path(ours)
    assert_refused(passwd(tls_server, "JANE", OLD, NEW, "--ca-file", str(other)), "is not trusted")
    (tmp_path / "none.pem").write_text("no certificate")
    none = ("--ca-file", str(tmp_path / "none.pem"))
    assert_refused(passwd(tls_server, "JANE", OLD, NEW, *none), "No certificates can be read")
    assert passwd(tls_server, "JANE", OLD, NEW, "--ca-file", str(ours)).returncode == 0


def test_an_online_installation_asks_for_the_token(tmp_path: Path, passwd: Passwd) -> None:
    folder = tmp_path / "online"
    folder.mkdir()
    token, wrong = tmp_path / "token.txt", tmp_path / "wrong.txt"
    wrong.write_text("no token of anybody")
    wrong.chmod(0o600)
    with serve(folder, "--installation", "online") as online:
        at = ("--tenant", "Cust1", "--database", online.database)
        for command in (("tenant", "add", "Cust1", *at[2:]), ("app-token", "issue", "tests", *at)):
            made = finished(*command, folder=folder)
            assert made.returncode == 0, made.stderr
        token.write_text(made.stdout)
        online.add_user("JANE", OLD, "--tenant", "Cust1")
        url = f"{online.url}/Cust1"
        for options in ((), ("--application-token-file", str(wrong))):
            assert_refused(
                passwd(url, "JANE", OLD, NEW, *options), "SoSessionException", "pplication token"
            )
        right = ("--application-token-file", str(token))
        token.chmod(0o644)
        assert_refused(passwd(url, "JANE", OLD, NEW, *right), "chmod 600")
        token.chmod(0o600)
        assert passwd(url, "JANE", OLD, NEW, *right).returncode == 0
