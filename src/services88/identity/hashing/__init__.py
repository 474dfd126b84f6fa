"""Password hashes: making them, verifying our own and imported ones, beside the event loop."""

from services88.identity.hashing.formats import NotImportable, check_importable, identify
from services88.identity.hashing.hasher import Hasher
from services88.identity.hashing.peppers import Pepper, load_peppers, peppers_of
from services88.identity.hashing.pool import Hashing

__all__ = [
    "Hasher",
    "Hashing",
    "NotImportable",
    "Pepper",
    "check_importable",
    "identify",
    "load_peppers",
    "peppers_of",
]
