"""Settings: where they come from, which one wins, and what is refused by its name."""

import os
from pathlib import Path

import pytest

from services88.identity.errors import BadInput
from services88.settings import Settings, load, masked_url

EVERY = {
    "host": "::1",
    "port": 4711,
    "database": "sqlite:///other.sqlite3",
    "installation": "online",
    "password_refusals": "exception",
    "wsdl": False,
    "public_url": "https://crm.example.com",
    "behind_proxy": True,
    "trusted_proxies": "10.0.0.0/8",
    "tls_certificate": Path("chain.pem"),
    "tls_key": Path("key.pem"),
    "argon2_memory_kib": 40_000,
    "argon2_passes": 3,
    "log_level": "debug",
}
"""A value other than the default for each setting that the sources are tried with."""


@pytest.fixture(autouse=True)
def _no_settings_around(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if "SERVICES88" in name]:
        monkeypatch.delenv(name)


def _toml(folder: Path, text: str) -> Path:
    file = folder / "own.toml"
    file.write_text(text)
    return file


def _written(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int) else f'"{value}"'


def test_the_defaults_are_safe() -> None:
    settings = load({})
    assert settings.host == "127.0.0.1"
    assert settings.port == 8088
    assert settings.database == "sqlite:///services88.sqlite3"
    assert settings.installation == "onsite"
    assert settings.trusted_proxies == "127.0.0.1"
    assert not settings.behind_proxy
    assert settings.argon2_memory_kib >= 19_456
    assert settings.argon2_passes >= 2


@pytest.mark.parametrize("name", EVERY)
def test_each_setting_can_be_given_by_file_variable_and_flag(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    value = EVERY[name]
    assert getattr(load({}), name) != value
    assert getattr(load({name: value}), name) == value
    assert getattr(load({}, _toml(tmp_path, f"{name} = {_written(value)}")), name) == value
    monkeypatch.setenv(f"SERVICES88_{name.upper()}", str(value))
    assert getattr(load({}), name) == value


def test_flags_win_over_variables_and_those_over_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = _toml(tmp_path, 'port = 1\nhost = "::1"\nlog_level = "debug"')
    monkeypatch.setenv("SERVICES88_PORT", "2")
    monkeypatch.setenv("SERVICES88_LOG_LEVEL", "error")
    settings = load({"port": 3, "host": None}, config)
    assert (settings.port, settings.log_level, settings.host) == (3, "error", "::1")
    assert load({}, config).port == 2
    monkeypatch.delenv("SERVICES88_PORT")
    assert load({}, config).port == 1


def test_a_file_counts_only_where_it_is_named(tmp_path: Path) -> None:
    assert load({}, _toml(tmp_path, "port = 1")).port == 1
    assert load({}).port == 8088


IMPOSSIBLE = [
    ("port", "hush"),
    ("port", 70_000),
    ("port", -1),
    ("installation", "hush"),
    ("password_refusals", "hush"),
    ("wsdl", "hush"),
    ("behind_proxy", "hush"),
    ("public_url", "hush"),
    ("argon2_memory_kib", 1024),
    ("argon2_passes", 1),
    ("log_level", "hush"),
]


@pytest.mark.parametrize("source", ["flag", "variable", "file"])
@pytest.mark.parametrize(("name", "value"), IMPOSSIBLE)
def test_an_impossible_value_is_refused_by_its_name(
    source: str, name: str, value: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flags, config = {}, None
    if source == "flag":
        flags = {name: value}
    elif source == "variable":
        monkeypatch.setenv(f"SERVICES88_{name.upper()}", str(value))
    else:
        config = _toml(tmp_path, f"{name} = {_written(value)}")
    with pytest.raises(BadInput, match=f"{name}: ") as caught:
        load(flags, config)
    assert "hush" not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["colour = 1", "[server]\nport = 1"])
def test_an_unknown_key_is_refused_by_its_name(text: str, tmp_path: Path) -> None:
    key = text.split(" ")[0].strip("[]").partition("]")[0]
    with pytest.raises(BadInput, match=f"{key}: "):
        load({}, _toml(tmp_path, text))


def test_every_problem_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"port: .*log_level: .*colour: "):
        load({}, _toml(tmp_path, 'colour = 1\nport = -1\nlog_level = "loud"'))


@pytest.mark.parametrize("content", [b"port 1", b"port = ", b"\xff\xfe", b"port = 1\nport = 2"])
def test_a_file_that_is_no_toml_is_refused_by_its_name(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    file.write_bytes(content)
    with pytest.raises(BadInput, match=r"own\.toml cannot be read"):
        load({}, file)


def test_a_file_that_is_not_there_is_refused_by_its_name(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"no configuration file .*none\.toml"):
        load({}, tmp_path / "none.toml")


@pytest.mark.parametrize(
    "given", ["https://x.example/", "https://x.example//", "https://x.example"]
)
def test_a_public_url_has_no_slash_at_its_end(given: str) -> None:
    assert load({"public_url": given}).public_url == "https://x.example"


@pytest.mark.parametrize(
    "url",
    ["https://user:hush@x.example", "https://hush@x.example", "https://:hush@x.example/a",
     "https://x.example?token=hush", "https://x.example/#hush", "https://x.example/\u202ehush",
     "https://x.example/ hush", "https://", "https://user:hush/more@x.example",
     "https://x:hush", "https://hu\u2100sh", "https://[hush"],
)  # fmt: skip
def test_a_public_url_holds_no_secret(url: str) -> None:
    with pytest.raises(BadInput, match="public_url: ") as caught:
        load({"public_url": url})
    assert "hush" not in str(caught.value)


MAIL = {"smtp_host": "mail.example.com", "mail_from": "a@example.com"}


def test_tokens_are_mailed_for_https_only() -> None:
    """ASVS 12.2.1."""
    with pytest.raises(BadInput, match=r"smtp_host: .*https://.*tls_certificate.*behind_proxy"):
        load({**MAIL, "public_url": "http://crm.example.com"})
    for url in ("https://crm.example.com", "http://127.0.0.1:8088", "http://[::1]", None,
                "http://localhost:1"):  # fmt: skip
        assert load({**MAIL, "public_url": url}).public_url == url
    assert load({"public_url": "http://crm.example.com"}).public_url == "http://crm.example.com"


@pytest.mark.parametrize("host", ["user:hush@mail.example", "smtp://hush@mail.example", "a b"])
def test_the_host_for_mails_holds_no_password(host: str) -> None:
    with pytest.raises(BadInput, match=r"smtp_host: .*smtp_password") as caught:
        load({**MAIL, "smtp_host": host})
    assert "hush" not in str(caught.value)


SECRETS = [
    'peppers = "2024a:hush"',
    'smtp_password = "hush"',
    'database = "postgresql://crm:hush@db.example/crm"',
    'database = "postgresql://db.example/crm?password=hush"',
]


@pytest.mark.parametrize("line", SECRETS)
def test_a_file_with_secrets_that_everybody_can_read_is_refused(line: str, tmp_path: Path) -> None:
    """As a pepper file is (ASVS 13.3.2)."""
    file = _toml(tmp_path, line)
    for mode in (0o644, 0o604, 0o602):
        file.chmod(mode)
        with pytest.raises(BadInput, match=r"own\.toml, which holds \w+\. Run `chmod 600`") as said:
            load({}, file)
        assert "hush" not in str(said.value)
    for mode in (0o600, 0o640):
        file.chmod(mode)
        load({}, file)


def test_a_file_without_secrets_may_be_read_by_everybody(tmp_path: Path) -> None:
    file = _toml(tmp_path, 'database = "postgresql://crm@db.example/crm"\nport = 1')
    file.chmod(0o644)
    assert load({}, file).port == 1


def test_settings_do_not_change() -> None:
    with pytest.raises(ValueError, match="frozen"):
        load({}).port = 1


@pytest.mark.parametrize("scheme", ["postgresql", "postgresql+psycopg", "sqlite"])
def test_the_password_of_a_database_is_not_shown(scheme: str) -> None:
    url = f"{scheme}://owner:hush@db.example/crm"
    settings = load({"database": url})
    for shown in (repr(settings), str(settings), f"{settings}", masked_url(url)):
        assert "hush" not in shown
        assert "db.example" in shown
        assert "owner" in shown
    assert settings.database == url


def test_what_is_no_url_is_not_shown_at_all() -> None:
    assert "hush" not in repr(load({"database": "owner:hush at db"}))
    assert masked_url("owner:hush at db") == "***"


def test_every_setting_is_explained() -> None:
    assert all(field.description for field in Settings.model_fields.values())


def test_no_secret_has_a_default() -> None:
    """ASVS 13.2.3."""
    settings = load({})
    for name in (
        "smtp_user",
        "smtp_password",
        "pepper_file",
        "peppers",
        "tls_certificate",
        "tls_key",
    ):
        assert getattr(settings, name) is None, name
    assert "@" not in settings.database
