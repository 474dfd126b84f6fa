"""The main job, as clients that others wrote see it, from the vendor's WSDL and from ours."""

from uuid import uuid4

from interop.client import Answer, Client
from tests.process import ServerProcess

FIRST = "correct horse battery"
SECOND = "staple of another barn"
THIRD = "a lantern for the night"
UNICODE = "  pässwörd e\u0301 ß ☃ 💡 <&>\"' "
TENANT = "Cust1"
FULL_NAME = "Zoë O'Neill & Søn ☃"


class Story:
    """A user, and the calls the story is made of."""

    def __init__(self, client: Client, user: str) -> None:
        self.client = client
        self.user = user

    def authenticate(self, password: str) -> Answer:
        return self.client.call(
            "SoPrincipal",
            "AuthenticateUsernamePassword",
            {"UserName": self.user, "Password": password},
        )

    def sign_in(self, password: str) -> str:
        """Sign in with a password that is accepted, and give the ticket."""
        answer = self.authenticate(password)
        assert answer.body is not None
        assert answer.body["AuthenticationSucceeded"] is True
        ticket = answer.body["Credentials"]["Ticket"]
        assert isinstance(ticket, str)
        return ticket

    def change(self, ticket: str | None, old: str, new: str) -> Answer:
        arguments = {"OldPassword": old, "NewPassword": new}
        return self.client.call("User", "ChangeOwnPassword", arguments, ticket)

    def assert_refused_at_sign_in(self, password: str) -> None:
        answer = self.authenticate(password)
        assert answer.succeeded
        assert answer.body is not None
        assert answer.body["AuthenticationSucceeded"] is False
        # zeep makes an empty object of one that is nil
        assert not any((answer.result or {}).values())
        assert not any((answer.body.get("Credentials") or {}).values())


def assert_not_signed_in(answer: Answer) -> None:
    assert not answer.succeeded
    assert answer.result is False
    assert answer.exception is not None
    assert answer.exception["ExceptionType"] == "SuperOffice.Exceptions.SoSessionException"
    assert "Sign in" in answer.exception["Message"]
    assert "Sign in" in answer.exception["FriendlyText"]


def play(client: Client, server: ServerProcess) -> None:
    """Play the story with a user of its own."""
    user = f"U{uuid4().hex[:8].upper()}"
    first, _, last = FULL_NAME.partition(" ")
    more = ("--role", "Administrator", "--firstname", first, "--lastname", last)
    server.add_user(user, FIRST, *more)
    story = Story(client, user)

    the_installation_describes_itself(story)
    who_signed_in_is_told_in_values_of_the_right_type(story)
    refusals_say_why(story)
    without_a_good_ticket_nothing_is_done(story)
    what_is_not_supported_says_so(story)
    the_password_is_changed(story)
    every_character_of_a_password_counts(story)


def the_installation_describes_itself(story: Story) -> None:
    answer = story.client.call("SoPrincipal", "GetSystemInfo", {})
    assert answer.succeeded
    assert answer.body is not None
    system = answer.body["SystemInfo"]
    assert system["BranchName"] == "services88"
    assert system["IsUnicode"] is True
    assert system["IsOnTravel"] is False
    assert type(system["DatabaseVersion"]) is int


def who_signed_in_is_told_in_values_of_the_right_type(story: Story) -> None:
    answer = story.authenticate(FIRST)
    assert answer.succeeded
    assert answer.exception is None
    assert answer.extra == {}
    assert answer.body is not None
    assert answer.body["AuthenticationSucceeded"] is True
    assert answer.body["Credentials"]["Ticket"].startswith("7T:")

    principal = answer.result
    assert principal["Associate"] == story.user
    assert principal["FullName"] == FULL_NAME
    assert principal["IsPerson"] is True
    assert principal["UserType"] == "InternalAssociate"
    assert principal["RoleName"] == "Administrator"
    assert principal["FunctionRights"]["string"] in (["admin-all"], "admin-all")
    for number in ("AssociateId", "PersonId", "RoleId"):
        assert type(principal[number]) is int
        assert principal[number] > 0
    held = principal["ProvidedCredentials"]["ProvidedCredential"]
    credential = held[0] if isinstance(held, list) else held
    assert credential["Type"] == "CRM5/PASSWORD"
    assert type(credential["CredentialId"]) is int


def refusals_say_why(story: Story) -> None:
    ticket = story.sign_in(FIRST)
    for old, new, reason in (
        ("not the password", SECOND, "old-password-wrong"),
        (FIRST, "", "policy"),
    ):
        refused = story.change(ticket, old, new)
        assert refused.result is False
        assert refused.succeeded
        assert refused.exception is None
        assert refused.extra["Reason"] == reason
        assert refused.extra["Text"]
    assert refused.extra["Rules"]


def without_a_good_ticket_nothing_is_done(story: Story) -> None:
    assert_not_signed_in(story.change(None, FIRST, SECOND))
    assert_not_signed_in(story.change("7T:bogus", FIRST, SECOND))


def what_is_not_supported_says_so(story: Story) -> None:
    ticket = story.sign_in(FIRST)
    answer = story.client.call("User", "GetUserGroup", {"UserGroupId": 1}, ticket)
    assert not answer.succeeded
    assert answer.exception is not None
    expected = "SuperOffice.Exceptions.SoIllegalOperationException"
    assert answer.exception["ExceptionType"] == expected
    assert "GetUserGroup is not supported" in answer.exception["FriendlyText"]


def the_password_is_changed(story: Story) -> None:
    ticket, elsewhere = story.sign_in(FIRST), story.sign_in(FIRST)
    assert ticket != elsewhere
    assert story.change(ticket, FIRST, SECOND).result is True

    story.assert_refused_at_sign_in(FIRST)
    story.sign_in(SECOND)
    assert_not_signed_in(story.change(elsewhere, SECOND, UNICODE))  # that ticket has ended
    assert story.change(ticket, "not the password", UNICODE).result is False  # this one lives


def every_character_of_a_password_counts(story: Story) -> None:
    changed = story.change(story.sign_in(SECOND), SECOND, UNICODE)
    assert changed.result is True, changed.extra
    story.assert_refused_at_sign_in(UNICODE.replace("💡", "?"))
    story.assert_refused_at_sign_in(UNICODE.replace("&", "&amp;"))
    story.sign_in(UNICODE)  # so that wrong ones in a row do not make it wait
    story.assert_refused_at_sign_in(UNICODE.strip())
    again = story.change(story.sign_in(UNICODE), UNICODE, THIRD)
    assert again.result is True, again.extra


def play_online(client: Client, server: ServerProcess, application_token: str) -> None:
    """Play what an Online installation adds: no call without an application token."""
    user = f"U{uuid4().hex[:8].upper()}"
    server.add_user(user, FIRST, "--tenant", TENANT)
    arguments = {"UserName": user, "Password": FIRST}
    for token in (None, "no token of anybody"):
        refused = client.call("SoPrincipal", "AuthenticateUsernamePassword", arguments, None, token)
        assert not refused.succeeded
        assert refused.exception is not None
        assert "pplication token" in refused.exception["FriendlyText"]
    answer = client.call(
        "SoPrincipal", "AuthenticateUsernamePassword", arguments, None, application_token
    )
    assert answer.succeeded
    assert answer.body is not None
    ticket = answer.body["Credentials"]["Ticket"]
    passwords = {"OldPassword": FIRST, "NewPassword": SECOND}
    assert not client.call("User", "ChangeOwnPassword", passwords, ticket).succeeded
    changed = client.call("User", "ChangeOwnPassword", passwords, ticket, application_token)
    assert changed.result is True
