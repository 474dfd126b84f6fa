"""One name space a tenant: what a person types to sign in means one user, whoever is added."""

import logging
from collections.abc import Iterator

import pytest

from services88.identity import sign_in, tenants
from services88.identity.errors import BadInput
from services88.store import migrate, sign_in_names
from services88.store.associates import Associate
from services88.store.database import Connection
from tests.databases import Databases, sql, upgrade_to
from tests.identity.domain import CheapHasher, World, world
from tests.loop import run

PASSWORD = "vellum orbit quartz"


@pytest.fixture
def here(database: str) -> Iterator[World]:
    with world(database, CheapHasher()) as opened:
        yield opened


def _meant(here: World, name: str) -> Associate | None:
    return run(sign_in.find(here.identity, here.tenant, name))


def test_nobody_takes_the_address_of_another(here: World) -> None:
    jane = run(here.add("JANE", PASSWORD, email="jane@example.com", nick_name="Janie"))
    for name, reason in (
        ("Jane@Example.com", "Another user signs in by that name: it is their e-mail address"),
        ("JANIE", "Another user has that name as nick name"),
        ("jane", "has a user jane already"),
    ):
        with pytest.raises(BadInput, match=reason):
            run(here.add(name, PASSWORD))
    for nick_name, reason in (
        ("JANE@example.com", "as e-mail address"),
        ("jane", "as user name"),
        ("janie", "has that nick name already"),
    ):
        with pytest.raises(BadInput, match=reason):
            run(here.add("JOE", PASSWORD, nick_name=nick_name))
    joe = run(here.add("JOE", PASSWORD, email="Jane@example.com"))
    assert joe.email == "Jane@example.com", "a fact about the person"
    for name in ("jane", "jane@example.com", "JANE@EXAMPLE.COM"):
        assert _meant(here, name) == jane, name
    assert _meant(here, "janie") is None, "a nick name is reserved and signs nobody in"
    other = run(tenants.add(here.identity, "other"))
    here.tenant = other
    assert _meant(here, "jane@example.com") is None
    run(here.add("jane@example.com", PASSWORD))


def test_a_user_may_have_one_name_in_all_ways(here: World) -> None:
    name = "jane@example.com"
    jane = run(here.add(name, PASSWORD, email=name.upper(), nick_name=name))
    assert _meant(here, name) == jane
    assert sql_names(here, jane) == {name: "name"}


def sql_names(here: World, user: Associate) -> dict[str, str]:
    async def read(connection: Connection) -> dict[str, str]:
        rows = await connection.all(sign_in_names._names_of, associate=user.associate_id)
        return dict(rows)

    return run(here.identity.database.transaction(read))


def test_a_name_that_is_given_up_is_free_and_an_address_passes_on(here: World) -> None:
    jane = run(here.add("JANE", PASSWORD, email="both@example.com", nick_name="Janie"))
    joe = run(here.add("JOE", PASSWORD, email="both@example.com"))

    async def release(connection: Connection) -> None:
        await sign_in_names.release(connection, jane.tenant_id, jane.associate_id)

    run(here.identity.database.transaction(release))
    assert sql_names(here, jane) == {}
    assert sql_names(here, joe) == {"joe": "name", "both@example.com": "email"}
    assert _meant(here, "both@example.com") == joe


def test_names_of_an_older_version_keep_their_owners(
    databases: Databases, caplog: pytest.LogCaptureFixture
) -> None:
    url = databases.empty()
    upgrade_to("0006", url)
    for number, (name, email, nick, deleted) in enumerate(
        (
            ("jane", "boss@example.com", None, False),
            ("boss", "boss@example.com", None, False),
            ("boss@example.com", "", None, False),  # and from then on the boss had no address
            ("old", "twin@example.com", None, True),
            ("new", "twin@example.com", "boss", False),
            ("alone", "alone@example.com", "al", False),
        ),
        1,
    ):
        sql(
            url,
            "INSERT INTO person (person_id, tenant_id, email, email_key) VALUES (?, 1, ?, ?)",
            *(number, email, email),
        )
        sql(
            url,
            "INSERT INTO associate (associate_id, tenant_id, name, name_key, nick_key, deleted, "
            "person_id, registered) VALUES (?, 1, ?, ?, ?, ?, ?, 0)",
            *(number, name, name, nick, deleted, number),
        )
    with caplog.at_level(logging.WARNING, "services88.migrations"):
        migrate.upgrade(url)
    found = sql(url, "SELECT name_key, associate_id, kind FROM sign_in_name ORDER BY name_key")
    assert found == [
        ("al", 6, "nick"),
        ("alone", 6, "name"),
        ("alone@example.com", 6, "email"),
        ("boss", 2, "name"),
        ("boss@example.com", 3, "name"),
        ("jane", 1, "name"),
        ("new", 5, "name"),
        ("old", 4, "name"),
        ("twin@example.com", 5, "email"),
    ]
    said = [record.getMessage() for record in caplog.records]
    assert [line.partition(" does not")[0] for line in said] == [
        "the e-mail address of the user with associate id 1",
        "the e-mail address of the user with associate id 2",
        "the e-mail address of the user with associate id 4",
        "the nick name of the user with associate id 5",
    ]
    assert "it is the user name of associate id 3, who keeps it" in said[1]
