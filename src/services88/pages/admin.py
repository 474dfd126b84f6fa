"""Administration in a browser: users, their tickets, the rules for passwords, the audit trail.

Whoever signs in here gets a ticket as anywhere, kept in a cookie. No password is ever shown or
chosen here (ASVS 6.4.6): users get a mailed link.
"""

import re
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.responses import Response

from services88.agents import administration
from services88.agents.passwords import mail_obstacle
from services88.identity import (
    accounts,
    audit_trail,
    guessing,
    password_rules,
    reset_links,
    sign_in,
    tickets,
)
from services88.identity.accounts import AssociateType
from services88.identity.audit import AuditEvent
from services88.identity.errors import (
    BadInput,
    LastAdministrator,
    NotAllowed,
    NotSignedIn,
    NotYourself,
)
from services88.identity.identity import Caller
from services88.identity.names import check_user_name, is_mailable, key_of
from services88.identity.policy import PolicyChoice, Preset
from services88.pages.site import Visit
from services88.store.tenants import Tenant
from services88.texts import _, marked
from services88.web.http import HttpRefusal

__all__ = ["page"]

_NUMBER = re.compile(r"[0-9]{1,9}")
_MOST_USERS = 100
_MOST_EVENTS = 200
_NOT_PROVED = marked("The user name or the password is not right. Wait a minute after a few tries.")
_DONE = {
    "added": marked("The user is added. A mail with a link to choose a password is on its way."),
    "retired": marked("The user is retired and signed out everywhere."),
    "unretired": marked("The user is active again, with the password they had."),
    "unlocked": marked("The password is enabled; wrong ones are forgotten."),
    "mailed": marked("A mail with a link to choose a new password is on its way."),
    "ended": marked("Signed out."),
    "policy": marked("The rules are saved. They hold for every password chosen from now on."),
}


async def page(visit: Visit) -> Response:
    """Answer at ``/admin`` and below."""
    tenant = await visit.tenant()
    parts = visit.page.rest.split("/") if visit.page.rest else []
    if parts == ["sign-in"] and visit.is_post:
        return await _sign_in(visit)
    try:
        caller = await tickets.verify(visit.identity, tenant, _kept(visit), address=visit.address)
    except NotSignedIn:
        return visit.go("/admin") if parts else visit.show("admin/sign_in.html", error="", name="")
    match parts, visit.is_post:
        case ["sign-out"], True:
            return await _sign_out(visit, caller)
    await administration.admit(visit.identity, caller, visit.origin, "admin-page")
    match parts, visit.is_post:
        case [], False:
            return await _users(visit, caller)
        case ["add"], False:
            return await _add_form(visit, caller)
        case ["add"], True:
            return await _add(visit, caller)
        case ["user", number], False if _NUMBER.fullmatch(number):
            return await _user(visit, caller, int(number))
        case ["user", number, action], True if _NUMBER.fullmatch(number):
            return await _act(visit, caller, int(number), action)
        case ["audit"], False:
            return await _audit(visit, caller)
        case ["policy"], False:
            return await _policy(visit, caller)
        case ["policy"], True:
            return await _set_policy(visit, caller)
    raise HttpRefusal(404, _("There is no such page."))


def _cookie(visit: Visit) -> str:
    # Of each tenant its own: who administers two is signed in at both.
    return f"admin-{key_of(visit.page.site).encode().hex()}" if visit.page.site else "admin"


def _kept(visit: Visit) -> str | None:
    return visit.cookie(_cookie(visit)) or None


def _show(
    visit: Visit, caller: Caller, template: str, status: int = 200, **values: Any
) -> Response:
    done = _DONE.get(visit.query.get("done", ""), "")
    return visit.show(template, status, caller=caller, done=_(done) if done else "", **values)


# --- signing in and out ---------------------------------------------------------------------------


async def _sign_in(visit: Visit) -> Response:
    form = await visit.form()
    tenant, name = await visit.tenant(), form.get("name", "")
    proved = None
    if not tickets.looks_like_ticket(name):
        proved = await sign_in.with_name(
            visit.identity, tenant, name, form.get("password", ""), visit.origin
        )
    if proved is None:
        return visit.show("admin/sign_in.html", 422, error=_(_NOT_PROVED), name=name)
    caller = await tickets.verify(visit.identity, tenant, proved.ticket.text, visit.address)
    try:
        await administration.admit(visit.identity, caller, visit.origin, "admin-page")
    except NotAllowed:
        await _end_own(visit, caller)
        raise
    await _end_kept(visit, tenant)
    visit.set_cookie(_cookie(visit), proved.ticket.text, "strict")
    return visit.go("/admin")


async def _sign_out(visit: Visit, caller: Caller) -> Response:
    await visit.form()
    await _end_own(visit, caller)
    visit.set_cookie(_cookie(visit), "", "strict")
    return visit.go("/admin")


async def _end_kept(visit: Visit, tenant: Tenant) -> None:
    """End the sign-in that this browser had: nobody could end it from here any more."""
    try:
        earlier = await tickets.verify(visit.identity, tenant, _kept(visit), visit.address)
    except NotSignedIn:
        return
    await _end_own(visit, earlier)


async def _end_own(visit: Visit, caller: Caller) -> None:
    with suppress(NotSignedIn):  # it has ended meanwhile, as by a second click
        await tickets.revoke_numbered(
            visit.identity,
            caller.tenant,
            {caller.ticket_id},
            associate_id=caller.associate_id,
            caller=caller,
            origin=visit.origin,
        )


# --- users ----------------------------------------------------------------------------------------


async def _users(visit: Visit, caller: Caller) -> Response:
    query = visit.query.get("q", "").strip()[:100]
    # One more than is shown tells that there are more; counting them all would read them all.
    found = await accounts.matching(visit.identity, caller.tenant, query, _MOST_USERS + 1)
    shown = [(user, await accounts.is_locked(visit.identity, user)) for user in found[:_MOST_USERS]]
    return _show(
        visit,
        caller,
        "admin/users.html",
        query=query,
        users=shown,
        more=len(found) > _MOST_USERS,
    )


async def _add_form(
    visit: Visit, caller: Caller, status: int = 200, error: str = "", **typed: str
) -> Response:
    return _show(
        visit,
        caller,
        "admin/add.html",
        status,
        error=error,
        typed={"name": "", "firstname": "", "lastname": "", "email": "", "role": ""} | typed,
        roles=await administration.grantable(visit.identity, caller),
        obstacle=_no_mail(visit),
    )


def _no_mail(visit: Visit) -> str:
    options = visit.site.options
    if options.mails and options.mailed_links:
        return ""
    return _(
        "This server sends no mails, so nobody could get a link to choose a password. Its operator "
        "can change that: SERVICES88_SMTP_HOST, SERVICES88_MAIL_FROM and SERVICES88_PUBLIC_URL."
    )


async def _add(visit: Visit, caller: Caller) -> Response:
    form = await visit.form()
    typed = {name: form.get(name, "").strip() for name in ("name", "firstname", "lastname")}
    typed |= {"email": form.get("email", "").strip(), "role": form.get("role", "")}
    roles = {
        str(role.role_id): role for role in await administration.grantable(visit.identity, caller)
    }
    try:
        if _no_mail(visit):
            raise BadInput(_no_mail(visit))
        if not is_mailable(typed["email"]):
            raise BadInput(_("Give an e-mail address: the link to choose a password goes there."))
        if typed["role"] not in roles:
            raise BadInput(_("Choose a role that you may give."))
        if max(len(typed["firstname"]), len(typed["lastname"])) > 99:
            raise BadInput(_("A name has at most 99 characters."))
        user = await accounts.add_with_secret(
            visit.identity,
            caller.tenant,
            check_user_name(typed["name"]),
            None,
            role_id=roles[typed["role"]].role_id,
            type=AssociateType.EMPLOYEE,
            firstname=typed["firstname"],
            lastname=typed["lastname"],
            email=typed["email"],
            caller=caller,
            origin=visit.origin,
        )
    except BadInput as error:
        return await _add_form(visit, caller, 422, str(error), **typed)
    await reset_links.ask(visit.identity, caller, user, visit.origin)
    return visit.go(f"/admin/user/{user.associate_id}?done=added")


async def _user(
    visit: Visit, caller: Caller, number: int, status: int = 200, error: str = ""
) -> Response:
    user = await administration.readable(visit.identity, caller, visit.origin, number)
    obstacle = mail_obstacle(visit.site.options, user)
    return _show(
        visit,
        caller,
        "admin/user.html",
        status,
        user=user,
        error=error,
        own=user.associate_id == caller.associate_id,
        locked=await accounts.is_locked(visit.identity, user),
        waits=await guessing.waits_of(visit.identity, caller.tenant, user),
        may_change=await administration.may_change(visit.identity, caller, user),
        obstacle=_(obstacle) if obstacle else "",
        tickets=await tickets.listing(visit.identity, caller.tenant, user),
        events=_for_people(await audit_trail.about(visit.identity, caller.tenant, number, 10)),
    )


async def _act(visit: Visit, caller: Caller, number: int, action: str) -> Response:
    form = await visit.form()
    identity, tenant, origin = visit.identity, caller.tenant, visit.origin
    user = await administration.target(identity, caller, origin, f"admin-{action}", number)
    match action:
        case "retire" | "unretire":
            retired = action == "retire"
            try:
                await accounts.retire(
                    identity, tenant, user.name, retired=retired, caller=caller, origin=origin
                )
            except (LastAdministrator, NotYourself) as refusal:
                return await _user(visit, caller, number, 422, str(refusal))
        case "unlock":
            await accounts.unlock(identity, tenant, user.name, caller=caller, origin=origin)
        case "mail":
            obstacle = mail_obstacle(visit.site.options, user)
            if obstacle is not None:
                return await _user(visit, caller, number, 422, _(obstacle))
            await reset_links.ask(identity, caller, user, origin)
        case "end":
            chosen = form.get("ticket", "")
            if _NUMBER.fullmatch(chosen):
                await tickets.revoke_numbered(
                    identity,
                    tenant,
                    {int(chosen)},
                    associate_id=number,
                    caller=caller,
                    origin=origin,
                )
            else:
                await tickets.revoke(identity, tenant, user, caller=caller, origin=origin)
        case _:
            raise HttpRefusal(404, _("There is no such page."))
    done = {"retire": "retired", "unretire": "unretired", "unlock": "unlocked", "mail": "mailed"}
    return visit.go(f"/admin/user/{number}?done={done.get(action, 'ended')}")


# --- audit trail and policy -----------------------------------------------------------------------


async def _events(
    visit: Visit,
    caller: Caller,
    *,
    user: str | None = None,
    event: str | None = None,
    since: int | None = None,
    until: int | None = None,
) -> list[audit_trail.AuditEntry]:
    which = await audit_trail.filtered(
        visit.identity, caller.tenant, user=user, event=event, since=since, until=until
    )
    return _for_people(await audit_trail.newest(visit.identity, caller.tenant, which, _MOST_EVENTS))


def _for_people(found: list[audit_trail.AuditEntry]) -> list[audit_trail.AuditEntry]:
    return [entry for entry in reversed(found) if entry.row.event != audit_trail.CHECKPOINT]


async def _audit(visit: Visit, caller: Caller) -> Response:
    asked = visit.query
    chosen = {name: asked.get(name, "").strip() for name in ("user", "event", "since", "until")}
    error, status, found = "", 200, []
    try:
        if not chosen["user"].isprintable():
            raise BadInput(_("Leave out control and invisible characters."))
        found = await _events(
            visit,
            caller,
            user=chosen["user"] or None,
            event=chosen["event"] or None,
            since=_day(chosen["since"]),
            until=_day(chosen["until"], after=1),
        )
    except BadInput as problem:
        error, status = str(problem), 422
    return _show(
        visit,
        caller,
        "admin/audit.html",
        status,
        chosen=chosen,
        error=error,
        events=found,
        kinds=sorted(AuditEvent),
        most=_MOST_EVENTS,
    )


def _day(text: str, after: int = 0) -> int | None:
    if not text:
        return None
    try:
        day = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC) + timedelta(days=after)
    except (ValueError, OverflowError):
        raise BadInput(_("Write days as 2026-01-31.")) from None
    return int(day.timestamp() * 1000)


async def _policy(
    visit: Visit,
    caller: Caller,
    status: int = 200,
    error: str = "",
    typed: dict[str, str] | None = None,
) -> Response:
    choice = await password_rules.chosen(visit.identity, caller.tenant)
    policy = await password_rules.policy_of(visit.identity, caller.tenant)
    return _show(
        visit,
        caller,
        "admin/policy.html",
        status,
        presets=[str(one) for one in Preset],
        rules=policy.help_texts(),
        error=error,
        typed=_typed(choice) if typed is None else typed,
    )


def _typed(choice: PolicyChoice) -> dict[str, str]:
    """Give the fields of the form as they are for what is chosen."""
    length = choice.minimum_length
    return {
        "preset": str(choice.preset),
        "minimum_length": "" if length is None else str(length),
        "history": str(choice.history),
        "preference": choice.preference or "",
    }


async def _set_policy(visit: Visit, caller: Caller) -> Response:
    form = await visit.form()
    before = _typed(await password_rules.chosen(visit.identity, caller.tenant))
    typed = {name: form.get(name, was).strip() for name, was in before.items()}
    # What stays as it was is not chosen: it goes on following what the installation has.
    changed = {name: value for name, value in typed.items() if value != before[name]}
    if changed.get("minimum_length") == "":
        del changed["minimum_length"]
        changed["preset"] = typed["preset"]  # choosing a preset brings its own length back
    try:
        await password_rules.choose(
            visit.identity,
            caller.tenant,
            preset=changed.get("preset"),
            minimum_length=_number(_("Characters at least"), changed.get("minimum_length")),
            history=_number(_("Earlier passwords refused"), changed.get("history")),
            preference=changed.get("preference"),
            caller=caller,
            origin=visit.origin,
        )
    except BadInput as error:
        return await _policy(visit, caller, 422, str(error), typed)
    return visit.go("/admin/policy?done=policy")


def _number(name: str, typed: str | None) -> int | None:
    if typed is None:
        return None
    if not (typed.isascii() and typed.isdigit() and len(typed) < _LONG):
        raise BadInput(_("{} must be a whole number.").format(name))
    return int(typed)


_LONG = 6
"""Digits that no number of a rule has."""
