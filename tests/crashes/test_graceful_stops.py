"""SIGTERM under load: calls under way are finished and acknowledged, and no other is begun."""

import signal
from pathlib import Path

from tests.crashes.databases import Tried
from tests.crashes.trial import trial

STOPS = 2


def test_a_server_told_to_stop_acknowledges_all_that_it_did(
    tried: Tried, tmp_path: Path, seed: int
) -> None:
    with trial(tried, tmp_path, seed) as under:
        for _ in range(STOPS):
            with under.server() as program:
                under.check()
                with under.load():
                    under.pause(0.2, 0.4)
                    before = under.figures()["calls answered"]
                    program.process.send_signal(signal.SIGTERM)
                    assert program.wait() == 0, program.said
                assert under.figures()["calls answered"] > before
        with under.server():
            under.check()
        under.check_mails()
        figures = under.figures()
    print(figures)
    assert figures["unacknowledged, kept"] == 0
