"""Rows of ``audit_event``. They are only ever added."""

from services88.store.database import Connection
from services88.store.schema import audit_event

__all__ = ["add"]


async def add(
    connection: Connection,
    *,
    tenant: int,
    at: int,
    event: str,
    associate_id: int,
    by_associate_id: int,
    application_token_id: int,
    address: str,
) -> None:
    """Add an event, in the transaction of the thing it tells of."""
    await connection.insert(
        audit_event,
        tenant_id=tenant,
        at=at,
        event=event,
        associate_id=associate_id,
        by_associate_id=by_associate_id,
        application_token_id=application_token_id,
        address=address,
    )
