"""A trial: a load of changes on a server that is killed, started again and checked, many times.

What is random follows from a seed, but for what the machine does meanwhile.
"""

import json
import random
import signal
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from queue import Empty

import httpx
from click.testing import CliRunner

from services88.cli import main
from services88.client import Client
from services88.identity.clock import HOUR, SystemClock
from services88.store import outbox
from tests.crashes.accounts import Account, Outage, Unanswered
from tests.crashes.databases import Postgresql, Tried
from tests.crashes.visitor import Visitor
from tests.databases import sql
from tests.notices.conftest import mailing
from tests.notices.smtp import SmtpServer
from tests.programs import Program, serving
from tests.running import TestClock, running

__all__ = ["Trial", "trial"]

ROOT, ROOT_PASSWORD = "ROOT", "root vellum orbit"
ACCOUNTS = 5
_PATIENCE = 60


class Trial:
    """One database, the users in it, and a server that comes and goes.

    :ivar counts: What came of it: kills, changes acknowledged and not, mails.
    """

    def __init__(self, tried: Tried, folder: Path, smtp: SmtpServer, seed: int) -> None:
        self.tried = tried
        self.folder = folder
        self.smtp = smtp
        self.chance = random.Random(seed)
        self.counts: Counter[str] = Counter()
        self.port = _free_port(self.chance)
        self.url = f"http://127.0.0.1:{self.port}"
        self._settings = mailing(smtp, smtp_security="none", public_url=self.url)
        self._head = ""
        for name, value in (("preset", "vendor"), ("history", "1")):
            self.command("policy", "set", f"--{name}", value)
        self._add(ROOT, ROOT_PASSWORD, "--role", "Administrator")
        self.accounts: list[Account] = []
        with self.server():
            for number in range(ACCOUNTS):
                name = f"USER{number}"
                self._add(name, f"{name} vellum", "--email", f"{name.lower()}@example.com")
                root = Client(self.url)
                root.sign_in(ROOT, ROOT_PASSWORD)
                signed_in = Client(self.url).sign_in(name, f"{name} vellum")
                assert signed_in is not None
                account = Account(name, signed_in.associate_id, self.url, f"{name} vellum", root)
                account.sign_ins += 1
                self.accounts.append(account)
        self.visitor = Visitor(self.url, ROOT, ROOT_PASSWORD)

    def close(self) -> None:
        self.visitor.close()

    def command(self, *arguments: str, stdin: str = "") -> str:
        """Run a command of services88 on the database."""
        done = CliRunner().invoke(main, [*arguments, "--database", self.tried.url], input=stdin)
        assert done.exit_code == 0, f"{arguments}: {done.output}"
        return done.stdout

    def _add(self, name: str, password: str, *options: str) -> None:
        self.command("user", "add", name, "--password-stdin", *options, stdin=f"{password}\n")

    @contextmanager
    def server(self) -> Iterator[Program]:
        """Run ``services88 serve`` on the database, until it is killed or the block is left."""
        settings = {**self._settings, "guess_exempt_networks": "127.0.0.1/32"}
        named = {f"SERVICES88_{name.upper()}": str(value) for name, value in settings.items()}
        with serving(
            *("--database", self.tried.url, "--port", str(self.port)),
            *("--admin-pages", "--log-level", "warning"),
            folder=self.folder,
            tls=None,
            **named,
        ) as program:
            yield program
            assert "Traceback" not in program.said, program.said

    # --- load -------------------------------------------------------------------------------------

    @contextmanager
    def load(self, *, survives: bool = False) -> Iterator[None]:
        """Load the server from several threads, until the block is left or the server is gone.

        :param survives: Whether the server must go on: its database may be gone, it may not.
        """
        stop = threading.Event()

        def use(act: Callable[[], None], settle: Callable[[], None], counts: Counter[str]) -> None:
            unsettled = False
            while not stop.is_set():
                try:
                    if unsettled:
                        settle()
                        unsettled = False
                    act()
                except Unanswered:
                    assert not survives, "the server broke off a call"
                    return
                except Outage:
                    assert survives, "the server told of an outage, and there was none"
                    counts["calls answered with 503"] += 1
                    unsettled = True
                    stop.wait(0.02)

        with ThreadPoolExecutor(ACCOUNTS + 1) as threads:
            users = []
            for one in self.accounts:
                chance = random.Random(self.chance.getrandbits(32))
                users.append(threads.submit(use, partial(one.act, chance), one.settle, one.counts))
            if not survives:
                act, settle = self.visitor.come_and_go, self.visitor.settle
                users.append(threads.submit(use, act, settle, self.counts))
            try:
                yield
            finally:
                stop.set()
        for user in users:
            user.result()

    def pause(self, least: float, most: float) -> None:
        """Let the load go on for a random time: this is what makes the moment of a kill random."""
        time.sleep(self.chance.uniform(least, most))

    def kill_under_load(self, program: Program) -> None:
        """Load the server, and kill it at a random moment; of two times one when it writes."""
        with self.tried.watching() as look, self.load():
            self.pause(0.02, 0.5)
            if self.chance.random() < 0.5:
                before, until = look(), time.monotonic() + 1
                while look() == before and time.monotonic() < until:
                    time.sleep(0.0002)
                self.pause(0, 0.003)
            program.process.kill()
            program.wait()
        self.counts["kills"] += 1

    def stop_database_under_load(self, tried: Postgresql) -> None:
        """Load the server, stop its database as a crash would, and start that again."""
        with httpx.Client(base_url=f"{self.url}/-/health") as health, self.load(survives=True):
            self.pause(0.3, 0.8)
            tried.server.stop(signal.SIGQUIT)
            assert health.get("/live").status_code == 200
            assert health.get("/ready").status_code == 503
            self.pause(0.1, 0.3)
            tried.server.start()
            self.pause(0.2, 0.4)
            assert health.get("/ready").status_code == 200
        self.counts["stops of the database"] += 1

    # --- what must be true ------------------------------------------------------------------------

    def check(self) -> None:
        """Check on a running server that nothing is lost, and nothing there by halves."""
        self.tried.check()
        # A killed server leaves the slots of its attempts behind, until they expire after a while.
        sql(self.tried.url, "DELETE FROM password_attempt")
        with ThreadPoolExecutor(ACCOUNTS) as threads:
            list(threads.map(Account.settle, self.accounts))
        self.visitor.settle()
        # The head of the time before: nothing was cut off.
        before = ("--head", self._head) if self._head else ()
        self._head = self.command("audit", "verify", *before).strip()
        events = Counter(
            (event["event"], event["user"], event["reason"])
            for event in map(json.loads, self.command("audit", "export").splitlines())
        )
        out = events["session_revoked", ROOT, "signed-out page"]
        assert out == self.visitor.signed_out, f"signed out {out}, heard {self.visitor.signed_out}"
        for one in self.accounts:
            assert events["authn_password_change", one.name, ""] == one.changes, one.name
            signed_in = events["authn_login_success", one.name, ""]
            known = one.sign_ins, one.sign_ins + one.open_sign_ins
            assert known[0] <= signed_in <= known[1], f"{one.name}: sign-ins {signed_in}, {known}"
            one.sign_ins, one.open_sign_ins = signed_in, 0
            assert (one.links > 0) <= (self._links(events, one) > 0), one.name
        self._events = events

    @staticmethod
    def _links(events: Counter[tuple[str, str, str]], account: Account) -> int:
        return events["authn_password_link_requested", account.name, ""]

    def check_mails(self) -> None:
        """Check that every mail that is owed is sent, and none that is not. Ends the trial.

        A server an hour later sends what is left: by then the claims of the killed have run out.
        """
        owed = Counter[tuple[str, str]]()
        for one in self.accounts:
            owed[one.email, "Your password was changed"] = one.changes
            owed[one.email, "Change your password"] = self._links(self._events, one)
        got: dict[str, tuple[str, str]] = {}
        later = TestClock(SystemClock().now() + HOUR)
        settings = mailing(self.smtp, smtp_security="none")
        with running(self.tried.url, later, **settings) as server:
            until = time.monotonic() + _PATIENCE
            while len(got) < owed.total() or server.run(outbox.counts(server.identity.database))[0]:
                assert time.monotonic() < until, "a mail that is owed is not sent"
                self._take_mails(got)
        self._take_mails(got)
        assert Counter(got.values()) == +owed
        self.counts["mails sent twice"] = self.counts["mails"] - len(got)

    def _take_mails(self, got: dict[str, tuple[str, str]]) -> None:
        with suppress(Empty):
            while True:
                mail = self.smtp.mails.get(timeout=0.1)
                said = mail.message
                got[str(said["Message-ID"])] = (mail.recipient, str(said["Subject"]))
                self.counts["mails"] += 1

    def figures(self) -> Counter[str]:
        """Give what came of it all."""
        return sum((one.counts for one in self.accounts), self.counts)


@contextmanager
def trial(tried: Tried, folder: Path, seed: int) -> Iterator[Trial]:
    """Make a database and its users, and a place for mails."""
    with SmtpServer(None) as smtp:
        smtp.listen()
        made = Trial(tried, folder, smtp, seed)
        try:
            yield made
        finally:
            made.close()


def _free_port(chance: random.Random) -> int:
    # Not one that the system may give to a connection while the server is gone.
    while True:
        port = chance.randrange(10_000, 30_000)
        with socket.socket() as one:
            try:
                one.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
