"""``POST /password/reset``: a new password by a mailed link. Nothing else uses a link up."""

import json
import logging

from starlette.routing import BaseRoute, Match
from starlette.types import Receive, Scope, Send

from services88.identity import reset_links
from services88.identity.errors import PasswordRefused, ServerBusy
from services88.identity.identity import Identity, Origin
from services88.identity.reset_links import LinkRefused
from services88.store.errors import DatabaseUnavailable
from services88.web.http import (
    RETRY_AFTER,
    HttpRefusal,
    MediaType,
    form_fields,
    header,
    outage,
    read_body,
    send_response,
)

__all__ = ["PasswordResetRoute"]

_log = logging.getLogger("services88.calls")

_JSON = "application/json"
_FORM = "application/x-www-form-urlencoded"
_FIELDS = ("token", "new_password")
_BUSY = (503, "The server is too busy. Nothing was changed. Try again in a moment.")
_FAILED = (500, "The server failed to change the password. Its log says why; ask its operator.")


class PasswordResetRoute(BaseRoute):
    """Takes ``token`` and ``new_password``, as JSON or as a form, and answers in kind.

    JSON is answered with ``{"changed": …, "message": …}`` and the codes of failed rules; a form
    with a line of text.
    """

    def __init__(self, identity: Identity) -> None:
        """Serve a domain."""
        self._identity = identity

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Say whether a request is for this."""
        if scope["type"] == "http" and scope["path"] == reset_links.PATH:
            return Match.FULL, {}
        return Match.NONE, {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        as_json = MediaType.of(header(scope, b"content-type") or "").name == _JSON
        rules: tuple[str, ...] = ()
        headers: tuple[tuple[str, str], ...] = ()
        try:
            status, text = await self._change(scope, receive)
        except HttpRefusal as refusal:
            status, text, headers = refusal.status, str(refusal), refusal.headers
        except LinkRefused as refused:
            status, text = 403, str(refused)
        except PasswordRefused as refused:
            status, text, rules = 422, str(refused), refused.rules
        except ServerBusy as busy:
            (status, text), headers = _BUSY, (("retry-after", str(busy.retry_after)),)
        except DatabaseUnavailable as error:
            status, text = 503, outage(error)
            headers = (("retry-after", str(RETRY_AFTER)),)
        except ConnectionError:
            _log.info("%s: the client left before there was an answer", scope["path"])
            return
        except Exception:  # the last resort: a client never sees a traceback (ASVS 16.5.4)
            _log.exception("a change by a link failed")
            status, text = _FAILED
        answer: dict[str, object] = {"changed": status == 200, "message": text}
        if rules:
            answer["rules"] = list(rules)
        await send_response(
            send,
            status,
            f"{_JSON}; charset=utf-8" if as_json else "text/plain; charset=utf-8",
            f"{json.dumps(answer) if as_json else text}\n".encode(),
            headers,
            without_body=scope["method"] == "HEAD",
        )
        _log.info("password reset", extra={"method": scope["method"], "status": status})

    async def _change(self, scope: Scope, receive: Receive) -> tuple[int, str]:
        if scope["method"] != "POST":
            raise HttpRefusal(
                405,
                "POST the token of the link and a new password: fields token and new_password.",
                [("allow", "POST")],
            )
        media = MediaType.of(header(scope, b"content-type") or "")
        if media.name not in (_JSON, _FORM) or media.charset not in (None, "utf-8", "utf8"):
            raise HttpRefusal(415, f"Send {_JSON} or {_FORM}, in UTF-8.")
        token, new = _read(media, await read_body(scope, receive))
        origin = Origin(scope["client"][0] if scope.get("client") else "")
        await reset_links.use(self._identity, token, new, origin)
        return 200, "The password is changed. Sign in with the new one."


def _read(media: MediaType, body: bytes) -> tuple[str, str]:
    try:
        found = _json(body) if media.name == _JSON else _form(body)
        token, new = (found[name] for name in _FIELDS)
    except (ValueError, KeyError, RecursionError):
        raise HttpRefusal(400, "Send exactly one token and one new_password, as text.") from None
    return token, new


def _json(body: bytes) -> dict[str, str]:
    found = json.loads(body.decode())
    if not isinstance(found, dict) or not all(isinstance(one, str) for one in found.values()):
        raise ValueError
    return found


def _form(body: bytes) -> dict[str, str]:
    fields = form_fields(body)
    if any(len(values) != 1 for values in fields.values()):
        raise ValueError
    return {name: values[0] for name, values in fields.items()}
