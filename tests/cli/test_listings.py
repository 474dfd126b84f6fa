"""What a name holds is shown: nothing in a listing reorders, hides or forges its neighbours."""

from collections.abc import Callable

import pytest

from tests.databases import sql

Said = Callable[..., str]
ODD = "a\u202eb\u2028c\x9b31md\ne"
SHOWN = "a\\u202eb\\u2028c\\x9b31md\\x0ae"


def test_rows_of_older_versions_are_shown_escaped(done: Said, database: str) -> None:
    done("user", "add", "JANE", "--password-stdin", stdin="vellum orbit quartz")
    done("tenant", "add", "Cust1")
    done("app-token", "issue", "portal")
    for statement in (
        "UPDATE associate SET name = 'JANE{}', nick_name = 'N{}'",
        "UPDATE person SET firstname = 'F{}', lastname = 'L{}', email = 'E{}@example.com'",
        "UPDATE tenant SET company_name = 'C{}'",
        "UPDATE application_token SET name = 'P{}'",
        "UPDATE role SET name = 'R{}' WHERE is_default",
        "UPDATE audit_event SET reason = 'W{}'",
    ):
        sql(database, statement.replace("{}", ODD))
    shown = {
        ("user", "list"): ("JANE", "F", "N", "R"),
        ("user", "show", "JANE"): ("JANE", "F", "E", "N"),
        ("tenant", "list"): ("C",),
        ("app-token", "list"): ("P",),
        ("role", "list"): ("R",),
        ("audit", "list"): ("JANE", "P", "W"),
        ("user", "retire", "JANE"): (),
    }
    for command, expected in shown.items():
        said = done(*command)
        for character in "\u202e\u2028\x9b":
            assert character not in said, command
        for stem in expected:
            assert f"{stem}{SHOWN}" in said, (command, said)
    exported = done("audit", "export")
    assert exported.isascii()
    assert "\\u202e" in exported


@pytest.mark.parametrize(
    "command",
    [("user", "show", ODD), ("user", "list", "--tenant", ODD)],
)
@pytest.mark.usefixtures("database")
@pytest.mark.one_database("it is about what is printed")
def test_errors_too(refused: Said, command: tuple[str, ...]) -> None:
    said = refused(*command)
    assert not set(said) & set("\u202e\u2028\x9b")


@pytest.mark.parametrize(
    "command",
    [
        ("user", "add", "JO{}E", "--password-stdin"),
        ("user", "add", "JOE", "--firstname", "a{}b", "--password-stdin"),
        ("user", "add", "JOE", "--lastname", "a{}b", "--password-stdin"),
        ("user", "add", "JOE", "--nickname", "a{}b", "--password-stdin"),
        ("user", "add", "JOE", "--email", "a{}b@example.com", "--password-stdin"),
        ("tenant", "add", "Cust1", "--company", "a{}b"),
        ("tenant", "add", "Cust{}1"),
        ("app-token", "issue", "a{}b"),
        ("policy", "set", "--preference", "Msg=a{}b"),
    ],
)
@pytest.mark.usefixtures("database")
@pytest.mark.one_database("it is refused before a database is asked")
def test_they_are_refused_when_set(refused: Said, command: tuple[str, ...]) -> None:
    for character in "\u202e\u2028\u200b":
        arguments = [one.replace("{}", character) for one in command]
        said = refused(*arguments, stdin="vellum orbit quartz")
        assert character not in said
        assert "invisible" in said or "segment" in said or "control character" in said
