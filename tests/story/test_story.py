"""The main job: sign in, change the password, sign in with the new one."""

from tests.running import RunningServer


def test_a_password_is_changed(shared_server: RunningServer) -> None:
    old, new = "correct horse battery", "staple <&> älter 💡"
    shared_server.add_user("STORY", old)
    ticket = shared_server.sign_in("STORY", old)
    assert ticket is not None

    wrong = shared_server.change_own(ticket, "not the password", new)
    assert wrong.text("Response") == "false"
    assert wrong.extra["Reason"] == "old-password-wrong"
    changed = shared_server.change_own(ticket, old, new)
    assert changed.text("Response") == "true"

    assert shared_server.sign_in("STORY", old) is None
    assert shared_server.sign_in("STORY", new) is not None
