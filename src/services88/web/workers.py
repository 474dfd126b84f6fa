"""Several processes that answer on one address, and the one that looks after them.

uvicorn has a supervisor of its own, which starts every worker anew on SIGHUP, gives them no number
and leaves them behind where it is killed itself; so this forks, as gunicorn does.
"""

import contextlib
import logging
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from socket import socket

import uvicorn

from services88.identity.errors import BadInput

__all__ = ["end_with_supervisor", "supervise"]

_log = logging.getLogger("services88.server")

_HEARD = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD}
_SHORT = 5
"""Seconds before which a worker should not end: then something is wrong that stays wrong."""

_watched: int | None = None
"""In a worker: what can be read once the supervisor is gone."""


def supervise(
    workers: int, listening: socket, work: Callable[[int], None], *, end_on_hangup: bool
) -> int:
    """Run workers until told to stop (SIGTERM or SIGINT), and let each finish its calls first.

    One that dies is replaced. SIGHUP is passed on, for certificates, or tells to stop as well. Must
    be called where no other thread runs: it forks.

    :param listening: The socket that they share; it is closed as soon as they stop, so that nobody
        waits there for an answer.
    :param work: What a worker does until it is told to stop; it is given its number, from 0 on.
    :returns: The exit code: 0 when told to stop, 1 where workers cannot stay.
    """
    return _Supervisor(workers, listening, work, end_on_hangup).run()


def end_with_supervisor(server: uvicorn.Server) -> None:
    """In a worker, stop the server where the supervisor is gone; it was killed."""
    watched = _watched
    if watched is None:
        return

    def watch() -> None:
        os.read(watched, 1)  # nothing is ever written: it ends when the other end does
        server.should_exit = True

    threading.Thread(target=watch, name="supervisor-watch", daemon=True).start()


class _Supervisor:
    def __init__(
        self, workers: int, listening: socket, work: Callable[[int], None], end_on_hangup: bool
    ) -> None:
        self._workers = workers
        self._end_on_hangup = end_on_hangup
        self._listening = listening
        self._work = work
        self._running: dict[int, tuple[int, float]] = {}  # pid to number and start
        self._watched, self._held = os.pipe()
        self._stopping = False
        self._code = 0

    def run(self) -> int:
        # Blocked, and taken one after the other: nothing is lost between a look and a wait.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, _HEARD)
        try:
            for number in range(self._workers):
                self._fork(number, before)
            while self._running:
                self._hear(signal.sigwait(_HEARD), before)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            os.close(self._held)
            os.close(self._watched)
        return self._code

    def _hear(self, number: int, mask: set[signal.Signals | int]) -> None:
        if number == signal.SIGCHLD:
            self._reap(mask)
        elif number == signal.SIGHUP and not self._end_on_hangup:
            self._tell(signal.SIGHUP)
        elif not self._stopping:
            self._stop()

    def _stop(self) -> None:
        self._stopping = True
        self._listening.close()
        self._tell(signal.SIGTERM)

    def _tell(self, number: signal.Signals) -> None:
        for pid in self._running:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def _reap(self, mask: set[signal.Signals | int]) -> None:
        for pid in list(self._running):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if not ended:
                continue
            number, started = self._running.pop(pid)
            if self._stopping:
                continue
            code = os.waitstatus_to_exitcode(status)
            if code > 0 and time.monotonic() - started < _SHORT:
                # It said why. The next one would fail in the same way.
                _log.error("worker %d could not start; the server stops", number)
                self._code = 1
                self._stop()
                continue
            _log.warning("worker %d ended (%d) and is replaced", number, code)
            if time.monotonic() - started < _SHORT:
                time.sleep(1)  # not in a hurry where it dies over and over
            self._fork(number, mask)

    def _fork(self, number: int, mask: set[signal.Signals | int]) -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        pid = os.fork()
        if pid:
            self._running[pid] = number, time.monotonic()
            return
        code = 1
        try:
            os.close(self._held)
            global _watched  # noqa: PLW0603 - a fact about this process
            _watched = self._watched
            # A worker that has just begun has nothing old to reload, and must not end of it.
            signal.signal(signal.SIGHUP, signal.SIG_IGN)
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
            self._work(number)
            code = 0
        except SystemExit as error:
            code = error.code if isinstance(error.code, int) else 1
        except BadInput as error:
            _log.error("worker %d: %s", number, error)
        except BaseException:  # nothing may return into the supervisor's code
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
