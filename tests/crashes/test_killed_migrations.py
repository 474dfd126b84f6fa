"""Servers killed while they make the tables: there is none of them, and the next one starts."""

import random
import time
from pathlib import Path

from services88.store import migrate
from tests.crashes.databases import Tried
from tests.programs import program, serving

KILLS = 3


def test_tables_are_never_there_by_halves(tried: Tried, tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    with_it = ("--database", tried.url)
    for _ in range(KILLS):
        with program("serve", "--port", "0", *with_it, folder=tmp_path) as killed:
            while not tried.is_migrating():
                assert killed.process.poll() is None, killed.said
                time.sleep(0.001)
            time.sleep(chance.uniform(0, 0.02))
            killed.process.kill()
            killed.wait()
        assert migrate.current(tried.url) is None
    with serving(*with_it, folder=tmp_path):
        tried.check()
        assert migrate.current(tried.url) == migrate.head()
