"""``services88 passwd``: change your own password on any Services88 server."""

from pathlib import Path

import click

from services88.cli.common import line_of_stdin, say, tells_errors

__all__ = ["passwd"]

_SHORTEST_MASKED = 4


@click.command()
@click.option(
    "--url",
    required=True,
    help="The server: https://HOST/SITE/Remote/Services88, or the URL of its site or of a service.",
)
@click.option("--user", required=True, metavar="NAME", help="The name you sign in with.")
@click.option(
    "--password-stdin",
    is_flag=True,
    help="Read two lines from standard input, the old password and the new one, instead of asking.",
)
@click.option(
    "--application-token-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="File with the application token that an Online installation asks for.",
)
@click.option(
    "--ca-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Certificate authorities to trust, PEM. Default: those of this machine.",
)
@click.option(
    "--timeout",
    type=click.FloatRange(0.1, 600),
    default=30,
    show_default=True,
    help="Seconds to wait for each of the two answers.",
)
@click.option(
    "--insecure-http",
    is_flag=True,
    help="Allow http to another machine: everybody on the way can read the passwords.",
)
@tells_errors
def passwd(
    url: str,
    user: str,
    *,
    password_stdin: bool,
    application_token_file: Path | None,
    ca_file: Path | None,
    timeout: float,
    insecure_http: bool,
) -> None:
    """Change your own password on a Services88 server, this one or the vendor's.

    Asks for the old password and the new one, signs in with the old one, changes it, and says what
    the server answered. Exit status 0 means that the password has changed.
    """
    from services88.client import Client, ClientError
    from services88.client.transport import Limits

    secrets: list[str] = []
    try:
        with Client(
            url,
            application_token=_application_token(application_token_file),
            ca_file=ca_file,
            insecure_http=insecure_http,
            limits=Limits(seconds=timeout),
        ) as client:
            old, new = secrets[:] = _passwords(from_stdin=password_stdin)
            if not new:  # a server without rules would take it
                raise click.ClickException(
                    "The new password is empty. Give the old one and the new one, a line each."
                )
            client.sign_in(user, old)
            client.change_own_password(old, new)
    except ClientError as error:
        raise click.ClickException(_without(secrets, str(error))) from error
    say(f"The server has changed the password of {user}.")


def _passwords(*, from_stdin: bool) -> tuple[str, str]:
    if from_stdin:
        return line_of_stdin(), line_of_stdin()
    old = str(click.prompt("Old password", hide_input=True, default="", show_default=False))
    return old, str(click.prompt("New password", hide_input=True, confirmation_prompt=True))


def _application_token(file: Path | None) -> str | None:
    if file is None:
        return None
    from services88.identity.secret_files import refuse_open_file

    refuse_open_file(file, f"the file {file}", "have the token revoked and a new one issued")
    try:
        return file.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise click.ClickException(
            f"The application token cannot be read from {file}. It must be a file of UTF-8 text."
        ) from error


def _without(secrets: list[str], text: str) -> str:
    """Take out passwords that a server repeats. Short ones would only leave holes in words."""
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= _SHORTEST_MASKED:
            text = text.replace(secret, "***")
    return text
