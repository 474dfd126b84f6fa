"""Nothing that a stranger chose is kept; ``make soak`` sends 50,000 messages."""

import pytest

from soak.memory import distinct

pytestmark = pytest.mark.one_database("it is about what a process keeps of messages")


def test_no_message_is_kept() -> None:
    """An encoding that there is none of stayed for ever: here 6 MB."""
    kept = distinct("SQLite", 2_000, warm=1_500)
    assert kept.growth < 4 * 1024, kept
    assert {200, 400, 404, 415, 500} <= kept.statuses.keys()
