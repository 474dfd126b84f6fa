"""One loop for what tests await: PostgreSQL's connections belong to the loop they are made on."""

import asyncio
import atexit

__all__ = ["run"]

_runner = asyncio.Runner()
atexit.register(_runner.close)

run = _runner.run
