"""Earlier passwords, kept in the database: as many as the policy says, and of that user only."""

from services88.identity import password_rules, tenants
from tests.databases import sql
from tests.running import RunningServer, Starter, TestClock

FIRST, SECOND, THIRD, FOURTH = "first one", "second one", "third one", "fourth one"


def _keep(server: RunningServer, number: int) -> None:
    async def work() -> None:
        tenant = await tenants.default(server.identity)
        await password_rules.choose(server.identity, tenant, history=number)

    server.run(work())


def _change(server: RunningServer, ticket: str | None, old: str, new: str) -> str | None:
    """Change the password; give the rule that it fails."""
    reply = server.change_own(ticket or "", old, new)
    return None if reply.text("Response") == "true" else reply.extra["Rules"]


def test_the_last_ones_are_refused_and_older_ones_forgotten(start: Starter) -> None:
    clock = TestClock()  # it stands: of what happens in one moment the order counts
    server = start(clock=clock)
    _keep(server, 2)
    jane, joe = (server.add_user(name, FIRST).associate_id for name in ("JANE", "JOE"))
    ticket, other = server.sign_in("JANE", FIRST), server.sign_in("JOE", FIRST)
    for old, new in ((FIRST, SECOND), (SECOND, THIRD)):
        assert _change(server, ticket, old, new) is None
    assert _change(server, ticket, THIRD, THIRD) == "same-as-current"
    for earlier in (FIRST, SECOND):
        assert _change(server, ticket, THIRD, earlier) == "recently-used"
    assert _change(server, other, FIRST, SECOND) is None, "it was Jane's, not Joe's"
    assert _change(server, ticket, THIRD, FOURTH) is None
    kept = "SELECT associate_id, count(*) FROM password_history GROUP BY 1 ORDER BY 1"
    assert sql(server.database, kept) == [(jane, 2), (joe, 1)]
    assert _change(server, ticket, FOURTH, FIRST) is None, "three changes ago"
    _keep(server, 0)
    assert _change(server, ticket, FIRST, FOURTH) is None
