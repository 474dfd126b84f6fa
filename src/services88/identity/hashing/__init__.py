"""Password hashes: making them, verifying our own and imported ones, beside the event loop."""

from services88.identity.hashing.formats import NotImportable, check_importable, identify
from services88.identity.hashing.hasher import Hasher
from services88.identity.hashing.peppers import Pepper, load_peppers, peppers_of
from services88.identity.hashing.pool import Asker, Hashing, asker, threads_of

__all__ = [
    "Asker",
    "Hasher",
    "Hashing",
    "NotImportable",
    "Pepper",
    "asker",
    "check_importable",
    "identify",
    "load_peppers",
    "peppers_of",
    "threads_of",
]
