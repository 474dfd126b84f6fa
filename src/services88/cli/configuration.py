"""``services88 config``: the settings as they are in force, and where each comes from."""

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from services88.cli.common import tells_errors
from services88.cli.serve import serve

if TYPE_CHECKING:
    from services88.settings import Settings

__all__ = ["config"]


@click.group()
def config() -> None:
    """Show and check the settings. Takes the options of `services88 serve`."""


@config.command()
@tells_errors
def show(config: Path | None, **flags: Any) -> None:
    """Print each setting and where it comes from, as TOML; secrets are masked."""
    from services88.settings import Settings, load

    settings = load(flags, config)
    in_file = _in_file(config)
    for name in Settings.model_fields:
        click.echo(_line(settings, name, _source(name, flags, in_file)))


@config.command()
@tells_errors
def check(config: Path | None, **flags: Any) -> None:
    """Say whether a server could start with these settings; its database is not touched."""
    from services88.settings import load
    from services88.web.application import check_files
    from services88.web.server import check_exposure

    settings = load(flags, config)
    check_exposure(settings)
    check_files(settings)
    click.echo("The settings can be used.")


for command in (show, check):
    command.params.extend(serve.params)


def _in_file(config: Path | None) -> set[str]:
    import tomllib

    return set(tomllib.loads(config.read_text())) if config else set()


def _source(name: str, flags: dict[str, Any], in_file: set[str]) -> str:
    if flags.get(name) is not None:
        return "flag"
    if f"SERVICES88_{name}".upper() in {variable.upper() for variable in os.environ}:
        return "environment"
    return "file" if name in in_file else "default"


def _line(settings: "Settings", name: str, source: str) -> str:
    from pydantic import SecretStr

    from services88.settings import masked_url

    value = getattr(settings, name)
    if value is None:
        return f"# {name} is not set"
    if isinstance(value, SecretStr):
        return f'# {name} = "***"  # {source}'
    if name == "database":
        masked = masked_url(value)
        # A masked value is a comment: nobody should start a server with it.
        return f"{'' if masked == value else '# '}{name} = {_quoted(masked)}  # {source}"
    if isinstance(value, bool | int | float):
        return f"{name} = {json.dumps(value)}  # {source}"
    return f"{name} = {_quoted(str(value))}  # {source}"


def _quoted(text: str) -> str:
    # A basic string of TOML is one of JSON. What cannot be seen is escaped, DEL too, as TOML wants.
    return "".join(
        one if one.isprintable() else _in_toml(one) for one in json.dumps(text, ensure_ascii=False)
    )


def _in_toml(character: str) -> str:
    number = ord(character)
    if "\ud800" <= character <= "\udfff":  # an environment variable that is no text
        return "\\ufffd"
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"
