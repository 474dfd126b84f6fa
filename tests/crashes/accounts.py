"""A user under load: what is known of them, what is not, and what must therefore be true.

Each account is used by one thread, so at any time at most one change of it is under way. Where no
answer came, or one that says that nobody knows, the change may be there or not;
:meth:`Account.settle` finds out.
"""

import random
from collections import Counter
from dataclasses import dataclass, field

from services88.client import (
    CallRefused,
    Client,
    NotServices88,
    NotSignedIn,
    PasswordNotChanged,
    TransportError,
)
from services88.client.transport import Limits
from services88.contract.user import UserAgent

__all__ = ["Account", "Outage", "Unanswered"]

_LIMITS = Limits(seconds=30)
_MOST_SESSIONS = 4
_NOTHING_CHANGED = "Nothing was changed."
_UNKNOWN = "all of it is kept, or nothing"


class Unanswered(Exception):
    """A call got no answer: the server is gone."""


class Outage(Exception):
    """A call got the answer that the database is gone."""


@dataclass(frozen=True)
class Change:
    """A change that was begun.

    :ivar by: The session that changes the own password; None where the administrator sets it.
    """

    after: str
    by: Client | None


@dataclass
class Account:
    """One user.

    :ivar password: The one that signs in, as far as was acknowledged or looked up since.
    :ivar before: The one before, which must not sign in; it is in the history of the policy.
    :ivar sessions: Those whose tickets must be good.
    :ivar ended: Those that the last change ended.
    :ivar changes: How many changes there were, each of which is owed a mail.
    :ivar sign_ins: How many sign-ins were acknowledged.
    :ivar open_sign_ins: Sign-ins of which nobody knows.
    :ivar links: How many mails with a link were acknowledged.
    :ivar counts: What came of it all.
    """

    name: str
    number: int
    url: str
    password: str
    administrator: Client
    before: str = "never the password"
    change: Change | None = None
    sessions: list[Client] = field(default_factory=list)
    ended: list[Client] = field(default_factory=list)
    changes: int = 0
    sign_ins: int = 0
    open_sign_ins: int = 0
    links: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    _made: int = 0

    @property
    def email(self) -> str:
        return f"{self.name.lower()}@example.com"

    # --- the load ---------------------------------------------------------------------------------

    def act(self, chance: random.Random) -> None:
        """Do one thing.

        :raises Unanswered: No answer came.
        :raises Outage: The database did not answer the server.
        """
        what = chance.random()
        if not self.sessions or (what < 0.15 and len(self.sessions) < _MOST_SESSIONS):
            self.sign_in()
        elif what < 0.25:
            self._ask_for_link()
        elif what < 0.4:
            self._begin(Change(self._new_password(), None))
        else:
            self._begin(Change(self._new_password(), chance.choice(self.sessions)))
        self.counts["calls answered"] += 1

    def _new_password(self) -> str:
        self._made += 1
        return f"{self.name} {self._made} vellum orbit"

    def sign_in(self) -> None:
        """Sign in once more."""
        session = Client(self.url, limits=_LIMITS)
        try:
            session.sign_in(self.name, self.password)
        except (TransportError, NotServices88) as error:
            self.open_sign_ins += _is_unknown(error)
            raise _told(error) from error
        self.sign_ins += 1
        self.sessions.append(session)

    def _ask_for_link(self) -> None:
        try:
            asked = self.administrator.call(UserAgent.send_change_password_e_mail, self.number)
        except (TransportError, NotServices88) as error:
            raise _told(error) from error
        assert asked.result is not None
        assert asked.result.success, asked.result.message
        self.links += 1

    def _begin(self, change: Change) -> None:
        self.change = change
        try:
            if change.by is not None:
                change.by.change_own_password(self.password, change.after)
            else:
                self.administrator.call(UserAgent.set_password, self.number, change.after)
        except (TransportError, NotServices88) as error:
            self.counts["unacknowledged"] += 1
            if not _is_unknown(error):
                self._is_absent("told that nothing was changed")
            elif isinstance(error, NotServices88):
                self.counts["told that nobody knows"] += 1
            raise _told(error) from error
        self.counts["acknowledged"] += 1
        self._is_kept()

    def _is_kept(self) -> None:
        change = self.change
        assert change is not None
        self.ended = [one for one in self.sessions if one is not change.by]
        self.sessions = [one for one in self.sessions if one is change.by]
        self.before, self.password = self.password, change.after
        self.changes += 1
        self.change = None

    def _is_absent(self, how: str) -> None:
        self.counts[how] += 1
        self.change = None

    # --- what must be true ------------------------------------------------------------------------

    def settle(self) -> None:
        """Find out what became of a change of which nobody heard, and check all that follows.

        :raises Outage: The database still does not answer the server.
        """
        change = self.change
        if change is not None:
            old, new = self._signs_in(self.password), self._signs_in(change.after)
            assert old != new, f"{self.name}: of two passwords exactly one signs in: {old}, {new}"
            if new:
                self._is_kept()
                self.counts["unacknowledged, kept"] += 1
            else:
                self._is_absent("unacknowledged, absent")
        else:
            assert self._signs_in(self.password), f"{self.name}: an acknowledged change is gone"
            assert not self._signs_in(self.before), f"{self.name}: the old password still signs in"
        self._check_sessions()
        if change is not None:
            self._check_history(change)

    def _signs_in(self, password: str) -> bool:
        session = Client(self.url, limits=_LIMITS)
        try:
            session.sign_in(self.name, password)
        except NotSignedIn:
            return False
        except (TransportError, NotServices88) as error:
            self.open_sign_ins += _is_unknown(error)
            raise _told(error) from error
        self.sign_ins += 1
        return True

    def _check_sessions(self) -> None:
        for session in self.sessions:
            assert self._is_good(session), f"{self.name}: a ticket is gone that nobody ended"
        for session in self.ended:
            assert not self._is_good(session), f"{self.name}: a ticket outlived a change"
        assert self.administrator.call(UserAgent.can_change_password, self.number).result

    def _is_good(self, session: Client) -> bool:
        try:
            return session.call(UserAgent.can_change_password, self.number).result
        except CallRefused:
            return False
        except (TransportError, NotServices88) as error:
            raise _told(error) from error

    def _check_history(self, change: Change) -> None:
        """The history holds the old password if the change is there, and else not the new one."""
        if not self.sessions:
            self.sign_in()
        session = self.sessions[0]
        if self.password != change.after:
            self._begin(Change(change.after, session))
            return
        try:
            session.change_own_password(self.password, self.before)
        except PasswordNotChanged as refused:
            why = refused.extra.get("Rules")
        except (TransportError, NotServices88) as error:
            raise _told(error) from error
        else:
            why = None
        assert why == "recently-used", f"{self.name}: a change is there, its history not: {why}"


def _is_unknown(error: TransportError | NotServices88) -> bool:
    """Say whether what was asked for may have been done: not if the answer says that it was not."""
    return not (isinstance(error, NotServices88) and _NOTHING_CHANGED in str(error))


def _told(error: TransportError | NotServices88) -> Exception:
    if isinstance(error, NotServices88) and error.status is not None:
        assert error.status == 503, error
        assert _NOTHING_CHANGED in str(error) or _UNKNOWN in str(error), error
        return Outage(str(error))
    return Unanswered(str(error))
