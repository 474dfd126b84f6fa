"""``python -m services88`` is ``services88``."""

from services88.cli import main

main()
