"""Coverage-guided fuzzing of what reads a message: bytes, envelope, typed request.

``make fuzz RUNS=1000000``. Seeds are our own envelopes, one an operation, made at start.
"""

import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["services88.soap"]):
    from services88.contract import AGENTS
    from services88.soap.envelopes import open_envelope, read_request
    from services88.soap.faults import SoapError
    from services88.soap.xml import NotAcceptable, parse

from tests.running import S11, S12, credentials, envelope


def one_input(data: bytes) -> None:
    """Read one message: it is understood, or refused by one of two errors."""
    for agent in AGENTS.values():
        try:
            read_request(agent, open_envelope(parse(data)))
        except (NotAcceptable, SoapError):
            pass


def seeds(folder: Path) -> None:
    """Write a message for every operation, in both versions."""
    for agent in AGENTS.values():
        for operation in agent.operations.values():
            fields = "".join(f"<{field.name}>1</{field.name}>" for field in operation.request)
            body = f"<{operation.name}>{fields}</{operation.name}>"
            for number, soap in enumerate((S11, S12)):
                text = envelope(body, credentials("7T:x"), soap)
                (folder / f"{agent.name}.{operation.name}.{number}").write_text(text)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as corpus:
        seeds(Path(corpus))
        atheris.Setup([*sys.argv, "-max_len=4096", "-print_final_stats=1", corpus], one_input)
        atheris.Fuzz()
