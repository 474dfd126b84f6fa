"""Changing one's password: with the current one, by a mailed link, and asking for such a link."""

from contextlib import suppress
from typing import Any

from starlette.responses import JSONResponse, RedirectResponse, Response

from services88.identity import (
    password_rules,
    passwords,
    request_limits,
    reset_links,
    sign_in,
    tickets,
)
from services88.identity.errors import NotSignedIn, PasswordRefused
from services88.identity.identity import Identity, Origin
from services88.identity.names import key_of
from services88.identity.password_rules import Judgement
from services88.identity.policy import Subject
from services88.identity.reset_links import LinkRefused
from services88.pages.site import Visit
from services88.store.tenants import Tenant
from services88.texts import _, marked
from services88.web.http import HttpRefusal

__all__ = ["known", "link", "page"]

_NOT_PROVED = marked(
    "The user name or the current password is not right, or there were too many wrong ones. "
    "Nothing was changed. Wait a minute before you try again."
)
_DIFFERENT = marked("The two new passwords differ. Type the same one twice.")
_TOO_OFTEN = marked("That was asked too often from here. Wait a minute, then try again.")
_STRENGTHS = (
    marked("Guessed at once"),
    marked("Very weak"),
    marked("Weak"),
    marked("Good"),
    marked("Strong"),
)


async def known(visit: Visit) -> Response:
    """Lead a password manager to where passwords are changed (W3C, change-password-url).

    :raises HttpRefusal: Each tenant has a page of its own, and this address names none.
    """
    if visit.site.settings.installation == "online":
        raise HttpRefusal(404, _("The address names no tenant of this server."))
    return RedirectResponse(f"{visit.site.settings.public_url or ''}/password", 302)


async def page(visit: Visit) -> Response:
    """Answer at ``/password`` and below."""
    if visit.page.rest == "done" and not visit.is_post:
        return visit.show("password/done.html")
    tenant = await visit.tenant()
    match visit.page.rest, visit.is_post:
        case "", False:
            return await _form(visit, tenant)
        case "", True:
            return await _change(visit, tenant)
        case "judge", True:
            return await _judge(visit, tenant)
        case "forgotten", False:
            return visit.show("password/forgotten.html", error=_no_mail(visit))
        case "forgotten", True:
            return await _forgotten(visit, tenant)
        case "sent", False:
            return visit.show("password/sent.html", minutes=reset_links.LIFETIME // 60_000)
    raise HttpRefusal(405, _("Send the form of the page."), [("allow", "POST")])


async def _form(visit: Visit, tenant: Tenant, status: int = 200, **values: Any) -> Response:
    return visit.show(
        "password/change.html",
        status,
        **{"name": "", "errors": [], "field": "", "rules": await _rules(visit, tenant)} | values,
    )


async def _rules(visit: Visit, tenant: Tenant) -> tuple[str, ...]:
    return (await password_rules.policy_of(visit.identity, tenant)).help_texts()


async def _change(visit: Visit, tenant: Tenant) -> Response:
    form = await visit.form()
    name, current = form.get("name", ""), form.get("current", "")
    new, again = form.get("new", ""), form.get("again", "")
    if new != again:
        return await _form(visit, tenant, 422, name=name, errors=[_(_DIFFERENT)], field="again")
    try:
        await _proved(visit.identity, tenant, name, current, new, visit.origin)
    except PasswordRefused as refused:
        field = "new" if refused.reason == "policy" else "current"
        return await _form(visit, tenant, 422, name=name, errors=[str(refused)], field=field)
    except NotSignedIn:
        return await _form(visit, tenant, 422, name=name, errors=[_(_NOT_PROVED)], field="current")
    return visit.go("/password/done")


async def _proved(
    identity: Identity, tenant: Tenant, name: str, current: str, new: str, origin: Origin
) -> None:
    """Sign in, change the password, and leave nothing signed in.

    :raises NotSignedIn: Nobody was proved; why is not told.
    :raises PasswordRefused: The new password is unacceptable.
    """
    if tickets.looks_like_ticket(name):  # a ticket is no proof for a person at a form
        raise NotSignedIn(given=True)
    signed_in = await sign_in.with_name(identity, tenant, name, current, origin)
    if signed_in is None:
        raise NotSignedIn(given=True)
    caller = await tickets.verify(identity, tenant, signed_in.ticket.text, origin.address)
    try:
        await passwords.change_own(identity, caller, current, new, origin)
    finally:
        with suppress(NotSignedIn):  # somebody else ended it already
            await tickets.revoke_numbered(
                identity,
                tenant,
                {caller.ticket_id},
                associate_id=caller.associate_id,
                caller=caller,
                origin=origin,
            )


async def _judge(visit: Visit, tenant: Tenant) -> Response:
    """Judge what is being typed, without looking at any account."""
    form = await visit.form()
    if not visit.site.judging.take(visit.address):
        raise HttpRefusal(429, _(_TOO_OFTEN), [("retry-after", "10")])
    subject = Subject(user_name=form.get("name", "")[:254], company=tenant.company_name)
    judgement = await password_rules.judge(visit.identity, tenant, form.get("new", ""), subject)
    return JSONResponse(_told(judgement))


def _told(judgement: Judgement) -> dict[str, object]:
    return {
        "rules": [satisfied for _text, satisfied in judgement.rules],
        "advice": list(dict.fromkeys(failure.text for failure in judgement.failures)),
        "score": judgement.score,
        "strength": _(_STRENGTHS[judgement.score]),
    }


async def _forgotten(visit: Visit, tenant: Tenant) -> Response:
    """Ask for a mail with a link. Nobody is looked up before the response (ASVS 6.3.8)."""
    form = await visit.form()
    # By the server's own clock: that of a sandbox's tenant may stand still.
    if not await request_limits.admit(
        visit.site.identity, request_limits.FORGOTTEN_FORMS, visit.address
    ):
        return visit.show("password/forgotten.html", 429, error=_(_TOO_OFTEN))
    if _no_mail(visit):
        return visit.show("password/forgotten.html", 503, error=_no_mail(visit))
    identity, origin = visit.identity, visit.origin
    name = key_of(form.get("name", ""))  # which is short, whatever was typed

    async def mail() -> None:
        await reset_links.ask_for_name(identity, tenant, name, origin)

    identity.errands.enqueue(mail)
    return visit.go("/password/sent")


def _no_mail(visit: Visit) -> str:
    options = visit.site.options
    if options.mails and options.mailed_links:
        return ""
    return _("This server sends no mails. Ask an administrator for a new password.")


async def link(visit: Visit) -> Response:
    """Answer where a mailed link leads.

    The token stands behind the number sign of the link, so it does not come with the request: the
    page's script posts it, or a person pastes it. Posting it alone shows the form for a new
    password and changes nothing; posting it with a new password uses the link up.
    """
    if not visit.is_post:
        return visit.show("password/link.html")
    form = await visit.form()
    token = form.get("token", "").rpartition("#")[2].strip()  # the whole link may be pasted
    new = form.get("new")
    if new is None:
        return await _by_link(visit, token)
    if new != form.get("again", ""):
        return await _by_link(visit, token, 422, errors=[_(_DIFFERENT)], field="again")
    try:
        await reset_links.use(visit.identity, token, new, visit.origin)
    except LinkRefused:
        return await _by_link(visit, token)
    except PasswordRefused as refused:
        return await _by_link(visit, token, 422, errors=[str(refused)], field="new")
    return visit.go("/password/done")


async def _by_link(visit: Visit, token: str, status: int = 200, **values: Any) -> Response:
    try:
        tenant, user = await reset_links.look(visit.identity, token)
    except LinkRefused as refused:
        return visit.show("password/link_refused.html", 403, text=_(str(refused)))
    return visit.show(
        "password/by_link.html",
        status,
        **{
            "token": token,
            "name": user.name,
            "errors": [],
            "field": "",
            "rules": await _rules(visit, tenant),
            "of": tenant,
        }
        | values,
    )
