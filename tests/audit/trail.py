"""The audit trail of a database, through the command line and as plain rows."""

import json
from typing import Any

from click.testing import CliRunner, Result

from services88.cli import main
from tests.databases import sql

__all__ = ["Trail"]


class Trail:
    """The trail in a database."""

    def __init__(self, database: str) -> None:
        self.database = database

    def run(self, *arguments: str, stdin: str = "") -> Result:
        """Run any command on the database."""
        return CliRunner().invoke(main, [*arguments, "--database", self.database], input=stdin)

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
        """Do something to the rows behind the server's back."""
        return sql(self.database, statement, *values)
