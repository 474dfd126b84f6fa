"""Inputs: a flood of messages, valid, spoilt and spoilt again, to a real server with a database.

They are built from the contract, as the tests' are, then varied at random; half of those that hold
a ticket hold a good one, of an administrator or of an ordinary user, and name users that there are:
so operations are reached.
"""

import http.client
import random
import re
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from click.testing import CliRunner
from hypothesis import HealthCheck, Phase, given, seed, settings
from lxml import etree

from services88.agents.call import IMPLEMENTATIONS
from services88.cli import main
from services88.contract import AGENTS
from services88.contract.model import Agent, Operation
from tests.crashes.databases import Postgresql, Sqlite, Tried
from tests.hostile.messages import calls, spoilt
from tests.postgresql import postgresql
from tests.programs import Program, serving
from tests.running import S11, S12, sign_in

__all__ = ["Flood", "flooded"]

THREADS = 4
_PATIENCE = 30
_WARM = 10_000
_BASE = 1_500
_PASSWORD = "flood vellum orbit"
_NO_TICKET = b"7T:none"
_ID = re.compile(rb"(Id>)-?[0-9]+(?=<)")
_SUCCEEDED = re.compile(rb"Succeeded(?: [^>]*)?>true<")
_LAST_RESORT = b"The server failed to carry out the call"
_EXPECTED = frozenset({200, 400, 413, 415, 500, 503})
_MEDIA = (
    *("text/xml; charset=utf-8", "text/xml", "application/soap+xml; charset=utf-8"),
    *("text/xml; charset=utf-16", "application/soap+xml", "text/plain", "text/xml; charset=x"),
)
_PIECES = (
    *(b"<!DOCTYPE x>", b"<?x y?>", b"<!--x-->", b"<![CDATA[", b"]]>", b"&#0;", b"&lt;", b"\0"),
    *(b"\xff", b"\xc3", b"<x>", b"</x>", b"/>", b' a="b"', b' xsi:nil="true"', b' xmlns:q="urn:q"'),
    *(b"s:", b"-1", b"99999999999", b"0001-01-01T00:00:00", b"true", b"<s:Body/>", b"<s:Header/>"),
)


@dataclass
class Flood:
    """What came of it.

    :ivar defects: Answers and silences that must not be; each is one line.
    """

    sent: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    defects: list[str] = field(default_factory=list)
    memory_before: int = 0
    memory_after: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)


def flooded(kind: str, inputs: int, chosen: int) -> Flood:
    """Send so many inputs to a server on a database of a kind."""
    messages = _base(chosen)
    with tempfile.TemporaryDirectory(prefix="services88-soak-") as name:
        folder = Path(name)
        if kind == "SQLite":
            return _on(Sqlite(folder), folder, messages, inputs, chosen)
        with postgresql() as server:
            return _on(Postgresql(server), folder, messages, inputs, chosen)


def _base(chosen: int) -> list[tuple[str, bytes]]:
    """Draw messages from the contract, each with its agent.

    A third of them is spoilt; of the others most are for operations that do something.
    """
    drawn: list[tuple[str, bytes]] = []
    generate = settings(
        max_examples=_BASE,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )

    @seed(chosen)
    @generate
    @given(calls(), spoilt())
    def draw(
        call: tuple[Agent, Operation, dict[str, object], str], bad: tuple[Agent, bytes]
    ) -> None:
        agent, operation, _, text = call
        often = 4 if operation.declared in IMPLEMENTATIONS else 1
        drawn.extend([(agent.name, text.encode())] * often)
        drawn.append((bad[0].name, bad[1]))

    draw()
    return drawn


def _on(
    tried: Tried, folder: Path, messages: list[tuple[str, bytes]], inputs: int, chosen: int
) -> Flood:
    people = _People(tried)
    flood = Flood()
    chance = random.Random(chosen)
    with (
        serving(
            *("--database", tried.url, "--log-level", "warning"),
            folder=folder,
            SERVICES88_GUESS_EXEMPT_NETWORKS="127.0.0.1/32",  # else nobody signs in for long
        ) as program,
        ThreadPoolExecutor(THREADS) as threads,
    ):
        for amount in (_WARM, inputs):  # what is loaded at first use is no growth
            flood.memory_before = _memory(program)
            numbers = iter(range(amount))
            work = []
            for _ in range(THREADS):
                own = random.Random(chance.getrandbits(32))
                sender = _Sender(program, people, flood, messages, own)
                work.append(threads.submit(sender.send, numbers))
            for done in work:
                done.result()
        flood.memory_after = _memory(program)
        if "Traceback" in program.said:
            flood.defects.append(f"a traceback in the log: {program.said[-2000:]}")
    tried.check()
    people.command("audit", "verify")
    return flood


def _memory(program: Program) -> int:
    """Give the KiB that a process has in memory."""
    status = Path(f"/proc/{program.process.pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0])


class _People:
    """An administrator and an ordinary user; what the flood does to them is undone when noticed."""

    def __init__(self, tried: Tried) -> None:
        self._tried = tried
        self._lock = threading.Lock()
        self.add("ROOT", "--role", "Administrator")
        self.add("JANE", "--email", "jane@example.com")

    def add(self, name: str, *options: str) -> None:
        self.command("user", "add", name, "--password-stdin", *options, stdin=f"{_PASSWORD}\n")

    def command(self, *arguments: str, stdin: str = "", check: bool = True) -> None:
        done = CliRunner().invoke(main, [*arguments, "--database", self._tried.url], input=stdin)
        assert not check or done.exit_code == 0, done.output

    def ticket(self, name: str, post: Callable[[str, bytes], bytes]) -> bytes:
        """Give a new ticket; empty where the flood changed the user beyond mending."""
        message = sign_in(name, _PASSWORD).encode()
        with self._lock:
            for _ in range(2):
                found = post("SoPrincipal", message).partition(b"<Ticket>")[2].partition(b"<")[0]
                if found:
                    return found
                self.command("user", "unretire", name, check=False)
                new = ("set-password", name, "--password-stdin")
                self.command("user", *new, stdin=f"{_PASSWORD}\n", check=False)
        return b""


class _Sender:
    """One of several that send, on a connection that stays open."""

    def __init__(
        self,
        program: Program,
        people: _People,
        flood: Flood,
        messages: list[tuple[str, bytes]],
        chance: random.Random,
    ) -> None:
        self._people = people
        self._flood = flood
        self._messages = messages
        self._chance = chance
        self._connection = http.client.HTTPConnection(program.host, program.port, timeout=_PATIENCE)
        self._tickets = [b""]

    def send(self, numbers: Iterator[int]) -> None:
        """Send until the numbers are used up."""
        for count, _ in enumerate(numbers):
            if count % 1_000 == 0:
                self._tickets = [
                    self._people.ticket(name, self._post) or _NO_TICKET for name in ("ROOT", "JANE")
                ]
            self._one()
        self._connection.close()

    def _post(self, agent: str, message: bytes) -> bytes:
        return self._exchange(agent, message, _MEDIA[0], "")[1]

    def _exchange(self, agent: str, message: bytes, media: str, action: str) -> tuple[int, bytes]:
        headers = {"Content-Type": media}
        if action:
            headers["SOAPAction"] = f'"{action}"'
        path = f"/Remote/Services88/{agent}.svc"
        self._connection.request("POST", path, message, headers)
        answer = self._connection.getresponse()
        return answer.status, answer.read()

    def _one(self) -> None:
        chance = self._chance
        agent, message = chance.choice(self._messages)
        message = self._varied(message)
        if chance.random() < 0.5:
            message = message.replace(_NO_TICKET, chance.choice(self._tickets))
            message = _ID.sub(rb"\g<1>%d" % chance.randrange(4), message)
        media = _MEDIA[0] if chance.random() < 0.8 else chance.choice(_MEDIA)
        action = ""
        if chance.random() < 0.1:
            action = chance.choice(list(AGENTS[agent].operations.values())).action
        if chance.random() < 0.02:
            agent = chance.choice(list(AGENTS))
        try:
            status, content = self._exchange(agent, message, media, action)
        except TimeoutError:
            self._defect("no answer", message, b"")
        except (OSError, http.client.HTTPException) as error:
            self._defect(f"no answer: {error!r}", message, b"")
        else:
            self._judge(status, content, message)

    def _varied(self, message: bytes) -> bytes:
        chance = self._chance
        for _ in range(chance.choice((0, 0, 0, 0, 1, 1, 2, 4))):
            one, other = sorted(chance.randrange(len(message) + 1) for _ in range(2))
            match chance.randrange(7):
                case 0:
                    message = message[:one] + chance.choice(_PIECES) + message[one:]
                case 1:
                    message = message[:one] + message[other:]
                case 2:
                    message = message[:other] + message[one:]
                case 3:
                    _, another = chance.choice(self._messages)
                    message = message[:one] + another[chance.randrange(len(another) + 1) :]
                case 4:
                    message = (
                        message[:one] + chance.randbytes(chance.randrange(1, 5)) + message[one:]
                    )
                case 5:
                    piece = message[one : min(other, one + 40)]
                    message = message[:one] + piece * chance.randrange(200) + message[one:]
                case 6:
                    tags = message.split(b"<")
                    chance.shuffle(tags)
                    message = b"<".join(tags[: chance.randrange(len(tags) + 1)])
        return message[:80_000]

    def _judge(self, status: int, content: bytes, message: bytes) -> None:
        outcome = str(status)
        if status not in _EXPECTED:
            self._defect(f"status {status}", message, content)
        elif status == 500:
            if not _is_fault(content) or _LAST_RESORT in content:
                self._defect("a 500 that is no refusal", message, content)
            outcome = "500, a fault"
        elif status == 200:
            done = _SUCCEEDED.search(content)
            outcome = "200, done" if done else "200, refused with ExceptionInfo"
        with self._flood.lock:
            self._flood.sent += 1
            self._flood.outcomes[outcome] += 1

    def _defect(self, what: str, message: bytes, content: bytes) -> None:
        self._connection.close()
        with self._flood.lock:
            self._flood.sent += 1
            self._flood.defects.append(f"{what}: {message[:3000]!r} -> {content[:300]!r}")


def _is_fault(content: bytes) -> bool:
    try:
        root = etree.fromstring(content)
    except etree.XMLSyntaxError:
        return False
    return any(root.find(f".//{{{soap}}}Fault") is not None for soap in (S11, S12))
