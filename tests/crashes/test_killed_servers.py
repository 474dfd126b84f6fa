"""Servers killed with SIGKILL under load: whatever was acknowledged holds, the rest is whole."""

from pathlib import Path

from tests.crashes.databases import Tried
from tests.crashes.trial import trial

KILLS = 10


def test_a_killed_server_loses_nothing(tried: Tried, tmp_path: Path, seed: int) -> None:
    with trial(tried, tmp_path, seed) as under:
        for _ in range(KILLS):
            with under.server() as program:
                under.check()
                under.kill_under_load(program)
        with under.server():
            under.check()
        under.check_mails()
        figures = under.figures()
    print(figures)
    assert figures["kills"] == KILLS
    assert figures["acknowledged"] > 0
    assert figures["unacknowledged"] > 0
