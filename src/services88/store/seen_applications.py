"""Rows of ``seen_application``: from which applications a user has signed in before."""

from sqlalchemy import bindparam, select

from services88.store.database import Connection, Reader
from services88.store.schema import seen_application

__all__ = ["add", "of_user"]

_of_user = select(seen_application.c.application_token_id).where(
    seen_application.c.associate_id == bindparam("associate")
)


async def of_user(reader: Reader, associate_id: int) -> set[int]:
    """Give the numbers of the application tokens that a user has signed in with."""
    return {row[0] for row in await reader.all(_of_user, associate=associate_id)}


async def add(
    connection: Connection, associate_id: int, application_token_id: int, now: int
) -> None:
    """Note the first sign-in of a user from an application.

    :raises Conflict: It was noted meanwhile.
    """
    await connection.insert(
        seen_application,
        associate_id=associate_id,
        application_token_id=application_token_id,
        first_seen=now,
    )
