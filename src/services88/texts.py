"""Texts for people, through gettext: written in English, translated by catalogues where there are.

A catalogue is ``locale/LANGUAGE/LC_MESSAGES/services88.mo`` in this package. The language is the
server's own (``LANGUAGE``, ``LC_ALL``, ``LC_MESSAGES`` or ``LANG``); without a catalogue for it the
English texts of the source are used.
"""

import gettext
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

__all__ = ["DOMAIN", "LOCALES", "_", "catalogue", "marked", "ngettext"]

DOMAIN = "services88"
"""Name of the catalogues."""

LOCALES = Path(__file__).parent / "locale"
"""Where the catalogues are."""


def catalogue(
    languages: Sequence[str] | None = None, folder: Path = LOCALES
) -> gettext.NullTranslations:
    """Open the catalogue of the first of some languages that has one.

    :param languages: Language codes, the best first; the environment's where none are given.
    :returns: One that gives every text as it is, where no language has a catalogue.
    """
    return gettext.translation(DOMAIN, str(folder), languages, fallback=True)


@lru_cache(maxsize=1)
def _ours() -> gettext.NullTranslations:
    return catalogue()


def _(text: str) -> str:
    return _ours().gettext(text)


def ngettext(one: str, many: str, number: int) -> str:
    """Translate a text that a number occurs in, in the form that the number asks for.

    The text is returned with its placeholders; fill them with ``.format``.
    """
    return _ours().ngettext(one, many, number)


def marked(text: str) -> str:
    """Give a text as it is; marks it for catalogues where it is translated only later, by ``_``.

    For xgettext: ``--keyword=marked``.
    """
    return text
