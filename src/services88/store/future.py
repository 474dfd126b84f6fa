"""Rows of a time still to come, left by a clock that ran ahead: they are brought back to now.

Each statement finds its rows by an index, and mostly there are none.
"""

from dataclasses import dataclass

from sqlalchemy import and_, bindparam, case, select, update
from sqlalchemy.sql import ColumnElement

from services88.store.credentials import TICKET
from services88.store.database import Connection, Reader
from services88.store.schema import credentials, outbox, reset_link

__all__ = ["Latest", "bring_back", "is_any_ahead"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Latest:
    """The last instants that are possible now.

    :ivar ticket: At which a ticket ends.
    :ivar link: At which a mailed link ends.
    :ivar due: At which a mail is due.
    :ivar claim: At which the claim of a mail ends.
    :ivar created: At which a mail was enqueued.
    """

    ticket: int
    link: int
    due: int
    claim: int
    created: int


def _not_after(column: ColumnElement[int]) -> ColumnElement[int]:
    return case((column > bindparam("now"), bindparam("now")), else_=column)


_is_ticket_ahead = and_(
    credentials.c.credential_type == TICKET, credentials.c.valid_to > bindparam("latest_ticket")
)
_is_link_ahead = reset_link.c.expires > bindparam("latest_link")
_is_mail_ahead = outbox.c.created > bindparam("latest_created")
_is_retry_ahead = and_(outbox.c.sent.is_(None), outbox.c.due > bindparam("latest_due"))
_is_claim_ahead = and_(outbox.c.sent.is_(None), outbox.c.claimed_until > bindparam("latest_claim"))

_ticket = select(credentials.c.credentials_id).where(_is_ticket_ahead).limit(1)
_link = select(reset_link.c.reset_link_id).where(_is_link_ahead).limit(1)
_mail = select(outbox.c.outbox_id).where(_is_mail_ahead).limit(1)
_retry = select(outbox.c.outbox_id).where(_is_retry_ahead).limit(1)
_claim = select(outbox.c.outbox_id).where(_is_claim_ahead).limit(1)

_end_tickets = (
    update(credentials)
    .where(_is_ticket_ahead)
    .values(
        valid_to=bindparam("end_of_ticket"),
        valid_from=_not_after(credentials.c.valid_from),
        last_used_date=_not_after(credentials.c.last_used_date),
    )
)
_end_links = update(reset_link).where(_is_link_ahead).values(expires=bindparam("end_of_link"))
_date_mails = (
    update(outbox)
    .where(_is_mail_ahead)
    .values(created=bindparam("now"), due=_not_after(outbox.c.due))
)
_retry_mails = update(outbox).where(_is_retry_ahead).values(due=bindparam("now"))
_end_claims = update(outbox).where(_is_claim_ahead).values(claimed_until=bindparam("end_of_claim"))


async def is_any_ahead(reader: Reader, latest: Latest) -> bool:
    """Check whether a row is of a later time than is possible now."""
    looks = (
        (_ticket, {"latest_ticket": latest.ticket}),
        (_link, {"latest_link": latest.link}),
        (_mail, {"latest_created": latest.created}),
        (_retry, {"latest_due": latest.due}),
        (_claim, {"latest_claim": latest.claim}),
    )
    for statement, values in looks:
        if await reader.one(statement, **values) is not None:
            return True
    return False


async def bring_back(
    connection: Connection, latest: Latest, *, now: int, ends: Latest
) -> tuple[int, int, int]:
    """Let what is ahead be as if it were of now.

    :param ends: The instants at which it ends, or is due, from now on.
    :returns: How many tickets, links and, at least, mails it was.
    """
    tickets = await connection.execute(
        _end_tickets, latest_ticket=latest.ticket, end_of_ticket=ends.ticket, now=now
    )
    links = await connection.execute(_end_links, latest_link=latest.link, end_of_link=ends.link)
    dated = await connection.execute(_date_mails, latest_created=latest.created, now=now)
    retried = await connection.execute(_retry_mails, latest_due=latest.due, now=now)
    claimed = await connection.execute(
        _end_claims, latest_claim=latest.claim, end_of_claim=ends.claim
    )
    return tickets, links, max(dated, retried, claimed)
