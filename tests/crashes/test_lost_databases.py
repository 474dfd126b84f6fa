"""PostgreSQL stopped at once under load, as by a crash, while services88 goes on."""

from pathlib import Path

from tests.crashes.databases import Postgresql
from tests.crashes.trial import trial
from tests.postgresql import PostgresqlServer

STOPS = 2


def test_a_database_that_crashes_is_survived(
    server: PostgresqlServer, tmp_path: Path, seed: int
) -> None:
    tried = Postgresql(server)
    with trial(tried, tmp_path, seed) as under:
        with under.server() as program:
            for _ in range(STOPS):
                under.check()
                under.stop_database_under_load(tried)
            under.check()
            assert program.process.poll() is None
        under.check_mails()
        figures = under.figures()
    print(figures)
    assert figures["stops of the database"] == STOPS
    assert figures["acknowledged"] > STOPS
    assert figures["calls answered with 503"] > 0
    assert figures["unacknowledged"] > 0
