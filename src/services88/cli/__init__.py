"""The command line. Each module has the commands of one noun; heavy imports happen in commands."""

from services88.cli.main import main

__all__ = ["main"]
