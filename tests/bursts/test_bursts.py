"""Invariants of a tenant and limits on mails, with fifty callers at once at several servers."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from urllib.parse import urlencode

import pytest

from services88.identity import accounts, passwords, sign_in, tenants
from services88.store.associates import Associate
from services88.store.tenants import Tenant
from tests.burst import Servers, fire, several_servers
from tests.databases import Databases, sql
from tests.identity.domain import CheapHasher, World, world
from tests.loop import run
from tests.running import Reply, credentials, envelope

PASSWORD = "vellum orbit quartz"
ROUNDS, CALLERS = 3, 50
_FORM = "f" * 43
_numbers = count(1)


@dataclass
class Scene:
    """Several servers, and the domain on the same database for setting the scene."""

    servers: Servers
    domain: World

    def tenant(self) -> Tenant:
        """Add a tenant of the test's own, and let the domain's shorthands be about it."""
        made = run(tenants.add(self.domain.identity, f"tenant{next(_numbers)}"))
        self.domain.tenant = made
        return made

    def add(self, name: str, role: str = "Administrator", **more: str) -> tuple[Associate, str]:
        """Add a user, and return it with a ticket."""
        user = run(self.domain.add(name, PASSWORD, role=role, **more))
        return user, run(self.domain.ticket(name, PASSWORD))

    def call(self, number: int, ticket: str, body: str) -> Callable[[], Reply]:
        path = f"/{self.domain.tenant.name}/Remote/Services88/User.svc"
        message = envelope(body, credentials(ticket)).encode()
        return self.servers.caller(number, path, message, Content_Type="text/xml; charset=utf-8")

    def form(
        self, number: int, path: str, *, ticket: str = "", address: str = "", **fields: str
    ) -> Callable[[], Reply]:
        name = self.domain.tenant.name
        return self.servers.caller(
            number,
            f"/{name}{path}",
            urlencode({"csrf": _FORM, **fields}).encode(),
            Content_Type="application/x-www-form-urlencoded",
            Cookie=f"__Host-services88-form={_FORM}; "
            f"__Host-services88-admin-{name.encode().hex()}={ticket}",
            X_Forwarded_For=address or "192.0.2.1",
        )


@pytest.fixture(scope="module")
def scene(shared_databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    database = shared_databases.new()
    several = several_servers(
        database,
        tmp_path_factory.mktemp("servers"),
        SERVICES88_PAGES="password",
        SERVICES88_ADMIN_PAGES="true",
        SERVICES88_SMTP_HOST="127.0.0.1",
        SERVICES88_SMTP_PORT="9",  # where nobody listens: mails stay in the outbox
        SERVICES88_MAIL_FROM="services88@example.com",
        SERVICES88_PUBLIC_URL="https://id.example.com",
        SERVICES88_TRUSTED_PROXIES="127.0.0.1",
    )
    with several as servers, world(database, CheapHasher()) as domain:
        yield Scene(servers, domain)


def _statuses(replies: Sequence[Reply]) -> set[int]:
    return {reply.status for reply in replies}


def test_administrators_who_retire_each_other_leave_one(scene: Scene) -> None:
    def retire(number: int, ticket: str, other: Associate) -> Callable[[], Reply]:
        if number % 4 < 2:
            arguments = f"<AssociateId>{other.associate_id}</AssociateId><Retired>true</Retired>"
            return scene.call(number, ticket, f"<MakeRetired>{arguments}</MakeRetired>")
        arguments = (
            f"<UserId>{other.associate_id}</UserId><CredentialType>CRM5/PASSWORD</CredentialType>"
        )
        return scene.call(number, ticket, f"<DeleteCredential>{arguments}</DeleteCredential>")

    for _ in range(ROUNDS):
        scene.tenant()
        one, its_ticket = scene.add("ONE")
        other, others_ticket = scene.add("OTHER")
        pairs = ((its_ticket, other), (others_ticket, one))
        replies = fire([retire(number, *pairs[number % 2]) for number in range(CALLERS)])
        assert _statuses(replies) == {200}
        left = [name for name in ("ONE", "OTHER") if run(scene.domain.sign_in(name, PASSWORD))]
        assert len(left) == 1


def test_system_users_take_the_last_administrator_away_neither(scene: Scene) -> None:
    """A system user may do everything and is not an administrator who could come back."""
    scene.tenant()
    users = [scene.add(f"ADMIN{number}")[0] for number in range(3)]
    run(scene.domain.add("SERVICE", PASSWORD, type=accounts.AssociateType.SYSTEM))
    ticket = run(scene.domain.ticket("SERVICE", PASSWORD))
    replies = fire(
        [
            scene.call(
                number,
                ticket,
                f"<MakeRetired><AssociateId>{user.associate_id}</AssociateId>"
                "<Retired>true</Retired></MakeRetired>",
            )
            for number, user in enumerate(users * 16)
        ]
    )
    refused = [reply for reply in replies if reply.text("Succeeded") == "false"]
    assert refused
    assert all("no general administrator" in (one.text("Message") or "") for one in refused)
    left = [user.name for user in users if run(scene.domain.sign_in(user.name, PASSWORD))]
    assert len(left) == 1


def test_one_mail_a_minute_is_one(scene: Scene) -> None:
    scene.tenant()
    _, ticket = scene.add("BOSS")
    for number in range(ROUNDS):
        user, _ = scene.add(f"USER{number}", "User level 0", email=f"u{number}@example.com")
        asked = f"<AssociateId>{user.associate_id}</AssociateId>"
        message = f"<SendChangePasswordEMail>{asked}</SendChangePasswordEMail>"
        replies = fire([scene.call(caller, ticket, message) for caller in range(CALLERS)])
        assert {reply.text("Success") for reply in replies} == {"true"}
        assert _links(scene, user) == 1


def _links(scene: Scene, user: Associate) -> int:
    counting = "SELECT count(*) FROM outbox WHERE associate_id = ? AND kind = 'reset-link'"
    return int(sql(scene.servers.database, counting, user.associate_id)[0][0])


def test_ten_forms_a_minute_are_ten(scene: Scene) -> None:
    scene.tenant()
    users = []
    for number in range(ROUNDS):
        user, _ = scene.add(f"FORGETFUL{number}", "User level 0", email=f"f{number}@example.com")
        users.append(user)
        replies = fire(
            [
                scene.form(
                    caller,
                    "/password/forgotten",
                    name=user.email,
                    address=f"2001:db8:{number}::{caller:x}",
                )
                for caller in range(CALLERS)
            ]
        )
        assert sorted(reply.status for reply in replies) == [303] * 10 + [429] * 40
    assert sql(scene.servers.database, "SELECT count(*) FROM request_counter")[0][0] >= ROUNDS


def test_a_name_has_one_owner(scene: Scene) -> None:
    scene.tenant()
    _, ticket = scene.add("BOSS")
    role = next(
        one
        for one in run(accounts.roles_of_tenant(scene.domain.identity, scene.domain.tenant))
        if one.is_default
    )
    for number in range(ROUNDS):
        contested = f"contested{number}@example.com"

        def add(caller: int, contested: str = contested) -> Callable[[], Reply]:
            wanted = (contested, f"other{caller}@example.com")
            name, email = wanted if caller % 2 else (f"{caller}-{contested}", contested)
            fields = {"name": name, "email": email, "role": str(role.role_id)}
            return scene.form(caller, "/admin/add", ticket=ticket, **fields)

        replies = fire([add(caller) for caller in range(CALLERS)])
        assert _statuses(replies) <= {303, 422}
        owners = sql(
            scene.servers.database,
            "SELECT associate_id, kind FROM sign_in_name WHERE tenant_id = ? AND name_key = ?",
            scene.domain.tenant.tenant_id,
            contested,
        )
        named = sql(
            scene.servers.database,
            "SELECT associate_id FROM associate WHERE tenant_id = ? AND name = ?",
            scene.domain.tenant.tenant_id,
            contested,
        )
        assert len(owners) == 1
        owner, kind = owners[0]
        assert named == ([(owner,)] if kind == "name" else [])
        found = run(sign_in.find(scene.domain.identity, scene.domain.tenant, contested))
        assert found is not None
        assert found.associate_id == owner
        refused = [reply for reply in replies if reply.status == 422]
        assert len(refused) == CALLERS // 2 - len(named)
        assert all(
            b"nother user" in reply.content or b"already" in reply.content for reply in refused
        )


def test_nothing_is_left_where_a_change_was_refused(scene: Scene) -> None:
    """The last administrator keeps the password, and all tickets."""
    scene.tenant()
    user, ticket = scene.add("ONLY")
    run(scene.domain.add("SERVICE", PASSWORD, type=accounts.AssociateType.SYSTEM))
    caller = run(scene.domain.caller(run(scene.domain.ticket("SERVICE", PASSWORD))))
    from services88.identity.errors import LastAdministrator
    from services88.identity.identity import Origin

    with pytest.raises(LastAdministrator):
        run(passwords.remove(scene.domain.identity, caller, user, Origin()))
    assert run(scene.domain.lives(ticket))
    assert run(scene.domain.sign_in("ONLY", PASSWORD))
