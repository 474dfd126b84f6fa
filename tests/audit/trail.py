"""The audit trail of a database file, through the command line and as plain rows."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from services88.cli import main

__all__ = ["Trail"]


class Trail:
    """The trail in a database file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def run(self, *arguments: str, stdin: str = "") -> Result:
        """Run any command on the database."""
        database = f"sqlite:///{self.path}"
        return CliRunner().invoke(main, [*arguments, "--database", database], input=stdin)

    def done(self, *arguments: str, stdin: str = "") -> str:
        result = self.run(*arguments, stdin=stdin)
        assert result.exit_code == 0, result.output
        return result.stdout

    def events(self, *filters: str) -> list[dict[str, Any]]:
        """What ``audit export`` prints."""
        return [json.loads(line) for line in self.done("audit", "export", *filters).splitlines()]

    def last(self, event: str) -> dict[str, Any]:
        """The newest event of a name."""
        return self.events("--event", event)[-1]

    def named(self) -> list[str]:
        return [event["event"] for event in self.events()]

    def verify(self, *arguments: str) -> str:
        """Verify, and give the head."""
        return self.done("audit", "verify", *arguments).strip()

    def broken(self, *arguments: str) -> str:
        """Verify a trail that is broken, and give what is said."""
        result = self.run("audit", "verify", *arguments)
        assert result.exit_code == 1, result.output
        assert result.stdout == ""
        return result.stderr

    def sql(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Do something to the file behind the server's back."""
        with closing(sqlite3.connect(self.path)) as driver:
            rows = driver.execute(statement, values).fetchall()
            driver.commit()
            return rows
