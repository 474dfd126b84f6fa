"""Files that hold secrets: who may read them, besides their owner."""

import stat
from pathlib import Path

from services88.identity.errors import BadInput

__all__ = ["refuse_open_file", "refuse_open_mode"]

_OTHERS = stat.S_IROTH | stat.S_IWOTH


def refuse_open_mode(mode: int, what: str, remedy: str) -> None:
    """Refuse a file of secrets that everybody can read or write (ASVS 13.3.2).

    The group may: that is how a file of root's is handed to the user of a service (0640).

    :param mode: The mode of the file, from the descriptor that it is read by where there is one.
    :param what: The file, for the error, as ``the pepper file /etc/pepper``.
    :param remedy: What to do about the secret itself, where others may have read it.
    :raises BadInput: Everybody can read or write the file.
    """
    if mode & _OTHERS:
        raise BadInput(
            f"Everybody on this machine can read or write {what}. "
            f"Run `chmod 600` on it, and if others may have read it, {remedy}."
        )


def refuse_open_file(path: Path, what: str, remedy: str) -> None:
    """Refuse a file by its path; as :func:`refuse_open_mode`.

    :raises BadInput: Everybody can read or write the file, or it cannot be looked at.
    """
    try:
        mode = path.stat().st_mode
    except OSError as error:
        raise BadInput(f"{what[:1].upper()}{what[1:]} cannot be read: {error.strerror}.") from error
    refuse_open_mode(mode, what, remedy)
