"""The settings, and where they come from: flags, then the environment, then a TOML file."""

import os
import re
import tomllib
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import Any, ClassVar, Literal
from urllib.parse import quote_plus, urlsplit

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from services88.identity.errors import BadInput
from services88.identity.guess_limits import networks
from services88.identity.policy import Preset
from services88.identity.secret_files import refuse_open_mode

__all__ = ["Settings", "load", "masked_url"]

_HOST = re.compile(r"[\w.-]*|\[?[0-9A-Fa-f:.]+(?:%\w+)?\]?")


class Settings(BaseSettings):
    """Everything an operator can choose. Each field is a variable ``SERVICES88_{NAME}`` as well."""

    model_config = SettingsConfigDict(env_prefix="SERVICES88_", extra="forbid", frozen=True)
    config_file: ClassVar[Path | None] = None

    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8088, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    workers: int = Field(1, ge=1, le=256, description="Processes that answer.")
    database: str = Field(
        "sqlite:///services88.sqlite3", description="Where users, passwords and tickets are kept."
    )
    database_connections: int = Field(
        10, ge=1, le=1000, description="Connections to PostgreSQL that a process opens at most."
    )
    installation: Literal["onsite", "online"] = Field(
        "onsite", description="Online asks every call for an application token, and for a tenant."
    )
    password_refusals: Literal["boolean", "exception"] = Field(
        "boolean", description="How a refused password is told: false with a reason, or exception."
    )
    administrators_may_choose_passwords: bool = Field(
        True, description="Whether administrators may choose the passwords of others."
    )
    allow_admin_blank_old_password: bool = Field(
        False, description="Whether administrators may leave OldPassword blank for their own."
    )
    wsdl: bool = Field(True, description="Whether ?wsdl is answered.")
    pages: Literal["off", "password", "all"] = Field(
        "off", description="Which pages there are for people with a browser."
    )
    admin_pages: bool = Field(False, description="Whether there are pages for administrators.")
    public_url: str | None = Field(
        None, description="The URL that clients use, up to and without /Remote. Goes into the WSDL."
    )
    behind_proxy: bool = Field(
        False, description="A proxy in front does TLS; allows a public address without."
    )
    trusted_proxies: str = Field(
        "127.0.0.1", description="Addresses or networks whose X-Forwarded headers are believed."
    )
    tls_certificate: Path | None = Field(None, description="Certificate chain, PEM.")
    tls_key: Path | None = Field(None, description="Private key, PEM.")
    argon2_memory_kib: int = Field(19_456, ge=19_456, description="Memory of one password hash.")
    argon2_passes: int = Field(2, ge=2, description="Passes of one password hash.")
    hashing_threads: int | None = Field(
        None,
        ge=1,
        le=256,
        description="Hashes one process makes at once; by default cores/workers.",
    )
    hashing_queue: int = Field(
        64, ge=2, description="Hashes that may wait in a process; one address holds half at most."
    )
    hashing_seconds: float = Field(
        5, gt=0, description="That a hash may wait before the caller is told to come again."
    )
    pepper_file: Path | None = Field(
        None, description="Keys of password hashes, kept apart from the database: ID:KEY a line."
    )
    peppers: SecretStr | None = Field(
        None, description="The same keys themselves: ID:KEY, separated by commas."
    )
    password_policy: Preset = Field(
        Preset.NIST, description="The rules for new passwords of a tenant that chose none."
    )
    blocklist: Path | None = Field(
        None, description="Passwords nobody may choose, beside common ones: one a line."
    )
    breached_passwords: Path | None = Field(
        None, description="A sorted file of HASH:COUNT lines, as Have I Been Pwned publishes it."
    )
    guess_disable_after: int = Field(
        100, ge=10, le=100, description="Wrong passwords in a row that disable a user's password."
    )
    guess_exempt_networks: str = Field(
        "", description="Networks that stand for many users, such as a portal's: see security.md."
    )
    smtp_host: str | None = Field(
        None, description="The server that takes mails; none are sent without."
    )
    smtp_port: int | None = Field(
        None,
        ge=1,
        le=65535,
        description="Its port: 587, with tls 465, with none 25 where not given.",
    )
    smtp_security: Literal["starttls", "tls", "none"] = Field(
        "starttls", description="How the way to it is encrypted."
    )
    smtp_user: str | None = Field(None, description="The name to sign in with there.")
    smtp_password: SecretStr | None = Field(None, description="The password to sign in with there.")
    mail_from: str | None = Field(
        None, validate_default=True, description="The address that mails come from."
    )
    header_seconds: float = Field(
        10, gt=0, description="In which the header section of a request must be complete."
    )
    body_seconds: float = Field(
        30, gt=0, description="In which the body of a request must be complete."
    )
    idle_seconds: float = Field(
        60, gt=0, description="That a connection may wait for a request, or leave answers unread."
    )
    max_connections: int = Field(
        1000, ge=1, description="Connections of one process; more take the place of idle ones."
    )
    max_connections_per_address: int | None = Field(
        None,
        ge=1,
        description="Connections of one address to all processes; a fifth of max_connections.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="How much is logged."
    )
    log_format: Literal["auto", "console", "json"] = Field(
        "auto", description="Lines for people, or JSON; auto is console on a terminal, else JSON."
    )
    metrics_host: str = Field("127.0.0.1", description="Address that metrics are given at.")
    metrics_port: int | None = Field(
        None, ge=1, le=65535, description="Port for Prometheus; no metrics without."
    )

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        """Give the fields for ``repr``, without the password that a database URL may hold."""
        for name, value in super().__repr_args__():
            yield name, masked_url(value) if name == "database" else value

    @field_validator("guess_exempt_networks", "trusted_proxies")
    @classmethod
    def _check_networks(cls, value: str) -> str:
        try:
            networks(value)
        except BadInput as error:
            raise ValueError(str(error)) from None
        return value

    @field_validator("public_url")
    @classmethod
    def _check_public_url(cls, value: str | None) -> str | None:
        if not value:
            return None
        if not value.startswith(("http://", "https://")):
            raise ValueError("must begin with http:// or https://")
        if not value.isprintable() or " " in value:
            raise ValueError("must hold no blanks and no invisible characters")
        if "@" in value:  # wherever it stands: a password may hold a slash that was not escaped
            raise ValueError(
                "must hold no user name and no password: it is published, in the WSDL, in mails "
                "and on pages; write https://HOST"
            )
        try:
            parts = urlsplit(value)
            is_whole = bool(parts.hostname) and parts.port != 0
        except ValueError:  # its text would quote the value
            is_whole = False
        if not is_whole or "?" in value or "#" in value:
            raise ValueError("must be scheme, host, port and path only, as https://crm.example.com")
        return value.rstrip("/")

    @field_validator("smtp_host")
    @classmethod
    def _check_smtp_host(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is not None and not _HOST.fullmatch(value):
            raise ValueError(
                "must be the name or address of a host alone; the port goes into smtp_port, and "
                "who signs in there into smtp_user and smtp_password"
            )
        url = info.data.get("public_url") or ""
        if value and url.startswith("http://") and not _is_loopback(url):
            raise ValueError(
                "needs public_url to begin with https://, since mails hold links with a token that "
                "changes a password: give the server TLS (tls_certificate, tls_key), put a proxy "
                "that does it in front (behind_proxy), or leave public_url or smtp_host out"
            )
        return value

    @field_validator("smtp_user")
    @classmethod
    def _check_smtp_user(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value and info.data.get("smtp_security") == "none":
            raise ValueError("needs smtp_security to be starttls or tls: it sends a password")
        return value

    @field_validator("mail_from")
    @classmethod
    def _check_mail_from(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is None and info.data.get("smtp_host"):
            raise ValueError("is needed where smtp_host is given")
        if value is not None and ("@" not in value or any(sign in value for sign in "<>\r\n ")):
            raise ValueError("must be a bare address, as services88@example.com")
        return value

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the signature is pydantic's
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Order the sources: what comes first wins."""
        sources: list[PydanticBaseSettingsSource] = [init_settings, env_settings]
        if cls.config_file is not None:
            sources.append(TomlConfigSettingsSource(settings_cls, toml_file=cls.config_file))
        return tuple(sources)


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")  # RFC 6761, 6.3


def masked_url(url: str) -> str:
    """Give a database URL without its passwords."""
    try:
        read = make_url(url)
    except (ArgumentError, ValueError):
        return "***"
    if read.password is not None and url.count("@") > 1:
        return "***"  # one of them was not escaped, so the password may go on behind it
    # asyncpg takes passwords in the query as well.
    secret = {name: _MASK for name in read.query if "password" in name.lower()}
    shown = read.update_query_dict(secret).render_as_string(hide_password=True)
    return shown.replace(quote_plus(_MASK), _MASK)


_MASK = "***"


def load(flags: dict[str, Any], config: Path | None = None) -> Settings:
    """Gather the settings.

    :param flags: What was given on the command line, by field name; None means not given.
    :param config: A TOML file.
    :raises BadInput: A value is not possible, or a name unknown; or the file holds secrets and
        everybody can read or write it.
    """
    if config is not None:
        _check_file(config)

    class Configured(Settings):
        config_file = config

    try:
        return Configured(**{name: value for name, value in flags.items() if value is not None})
    except ValidationError as error:
        said = "; ".join(
            f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}" for problem in error.errors()
        )
        raise BadInput(f"The settings cannot be used: {said}.") from None
    except ValueError as error:
        raise BadInput(f"The configuration file {config} cannot be read: {error}.") from None


def _check_file(config: Path) -> None:
    """Refuse a file with secrets in it that everybody can read, as a pepper file is refused."""
    if not config.is_file():
        raise BadInput(f"There is no configuration file {config}.")
    try:
        with config.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            found = tomllib.load(file)
    except OSError as error:
        raise BadInput(
            f"The configuration file {config} cannot be read: {error.strerror}."
        ) from error
    except ValueError as error:
        raise BadInput(f"The configuration file {config} cannot be read: {error}.") from None
    secret = [name for name, value in found.items() if _holds_secret(name, value)]
    if secret:
        what = f"the configuration file {config}, which holds {' and '.join(secret)}"
        refuse_open_mode(mode, what, "change those secrets")


def _holds_secret(name: str, value: object) -> bool:
    if name == "database":
        return isinstance(value, str) and _MASK in masked_url(value)
    field = Settings.model_fields.get(name)
    return bool(value) and field is not None and "SecretStr" in str(field.annotation)
