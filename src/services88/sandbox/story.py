"""The main job as messages: what the tour sends and what the curl commands hold."""

from html import escape

from services88.contract import namespaces as ns
from services88.soap.versions import SOAP11

__all__ = ["change_own_password", "curl", "sign_in"]


def _envelope(header: str, body: str) -> str:
    return (
        f'<s:Envelope xmlns:s="{SOAP11.namespace}" xmlns="{ns.SERVICES88}">\n'
        f"{header}  <s:Body>\n{body}  </s:Body>\n</s:Envelope>"
    )


def sign_in(name: str, password: str) -> str:
    """Write a call of AuthenticateUsernamePassword."""
    return _envelope(
        "",
        "    <AuthenticateUsernamePassword>\n"
        f"      <UserName>{escape(name)}</UserName>\n"
        f"      <Password>{escape(password)}</Password>\n"
        "    </AuthenticateUsernamePassword>\n",
    )


def change_own_password(ticket: str, old: str, new: str) -> str:
    """Write a call of ChangeOwnPassword."""
    return _envelope(
        "  <s:Header>\n"
        f"    <Credentials><Ticket>{escape(ticket)}</Ticket></Credentials>\n"
        "  </s:Header>\n",
        "    <ChangeOwnPassword>\n"
        f"      <OldPassword>{escape(old)}</OldPassword>\n"
        f"      <NewPassword>{escape(new)}</NewPassword>\n"
        "    </ChangeOwnPassword>\n",
    )


def curl(url: str, message: str) -> str:
    """Write the command that posts a message; shell variables in it are filled in by the shell."""
    quoted = message.replace("\\", "\\\\").replace('"', '\\"').replace("`", "\\`")
    return f'curl -s -H "Content-Type: text/xml; charset=utf-8" {url} -d "{quoted}"'
