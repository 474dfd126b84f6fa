"""Every command says what it is for, and what each of its options means."""

from collections.abc import Iterator

import click
import pytest

from services88.cli import main
from tests.cli.conftest import Run


def _commands(
    command: click.Command, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        for name, inner in command.commands.items():
            yield from _commands(inner, (*path, name))


ALL = dict(_commands(main))


def test_the_documented_commands_are_there() -> None:
    assert {" ".join(path) for path in ALL} >= {
        "serve",
        "sandbox",
        "wsdl",
        *("user", "user add", "user list", "user show"),
        *("user set-password", "user retire", "user unretire", "user unlock"),
        *("role", "role list"),
        *("tenant", "tenant add", "tenant list"),
        *("app-token", "app-token issue", "app-token list", "app-token revoke"),
        *("db", "db upgrade", "db current"),
    }


@pytest.mark.parametrize("path", ALL, ids=lambda path: " ".join(path) or "services88")
def test_help_explains_the_command_its_arguments_and_its_options(
    path: tuple[str, ...], run: Run
) -> None:
    command = ALL[path]
    assert command.help, "the command has no help"
    result = run(*path, "--help")
    assert result.exit_code == 0
    assert command.help.split("\n")[0].split(".")[0][:40] in result.output
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, f"{parameter.opts} has no help"
            assert parameter.opts[0] in result.output
        elif isinstance(parameter.type, click.Choice):
            assert all(choice in result.output for choice in parameter.type.choices)
        else:
            assert parameter.human_readable_name in command.help, "the argument is not explained"
    if isinstance(command, click.Group):
        for name, inner in command.commands.items():
            assert name in result.output
            assert inner.get_short_help_str(100).split()[0] in result.output


def test_no_command_takes_a_password_as_an_argument() -> None:
    for path, command in ALL.items():
        for parameter in command.params:
            if (
                parameter.name
                and "password" in parameter.name
                and parameter.name != "password_refusals"
            ):
                assert isinstance(parameter, click.Option)
                assert parameter.is_flag, f"{path} takes {parameter.opts} with a value"


def test_the_version_is_told(run: Run) -> None:
    from services88 import __version__

    assert __version__ in run("--version").stdout
