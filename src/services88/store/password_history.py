"""Rows of ``password_history``: hashes that were replaced."""

from sqlalchemy import bindparam, delete, select

from services88.store.database import Connection, Reader
from services88.store.schema import password_history

__all__ = ["newest", "remember"]

# By number, not by time: a clock that was wrong must not change which of them are the newest.
_order = password_history.c.password_history_id.desc()
_newest = (
    select(password_history.c.secret)
    .where(password_history.c.associate_id == bindparam("associate"))
    .order_by(_order)
    .limit(bindparam("most"))
)
_kept = (
    select(password_history.c.password_history_id)
    .where(password_history.c.associate_id == bindparam("associate"))
    .order_by(_order)
    .limit(bindparam("most"))
)
_forget = delete(password_history).where(
    password_history.c.associate_id == bindparam("associate"),
    password_history.c.password_history_id.not_in(_kept),
)


async def newest(reader: Reader, associate_id: int, most: int) -> tuple[str, ...]:
    """Read the hashes that were replaced last, the newest first."""
    return tuple(row[0] for row in await reader.all(_newest, associate=associate_id, most=most))


async def remember(
    connection: Connection, associate_id: int, secret: str, most: int, now: int
) -> None:
    """Keep a replaced hash, and of all of that user's only the newest."""
    await connection.insert(
        password_history, associate_id=associate_id, secret=secret, replaced=now
    )
    await connection.execute(_forget, associate=associate_id, most=most)
