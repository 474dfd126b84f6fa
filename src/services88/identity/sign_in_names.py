"""Who is meant by what a person types to sign in: one name space a tenant.

A user name, an e-mail address and a nick name of one tenant each have one owner, which a unique key
of the database holds. User names and nick names that another user has in any of these ways are
refused. An e-mail address is a fact about a person and is taken as it is; of several who have the
same, it is the sign-in name of the first only, and nobody else can take it from them.
"""

from services88.identity.errors import BadInput
from services88.identity.names import key_of
from services88.store import sign_in_names
from services88.store.database import Connection, Reader
from services88.store.sign_in_names import NameKind
from services88.store.tenants import Tenant
from services88.texts import _, marked

__all__ = ["check", "put"]

_TAKEN = {
    (NameKind.USER_NAME, NameKind.USER_NAME): marked("Another user has that name."),
    (NameKind.USER_NAME, NameKind.EMAIL): marked(
        "Another user signs in by that name: it is their e-mail address."
    ),
    (NameKind.USER_NAME, NameKind.NICK_NAME): marked("Another user has that name as nick name."),
    (NameKind.NICK_NAME, NameKind.USER_NAME): marked(
        "Another user has that nick name as user name."
    ),
    (NameKind.NICK_NAME, NameKind.EMAIL): marked(
        "Another user has that nick name as e-mail address."
    ),
    (NameKind.NICK_NAME, NameKind.NICK_NAME): marked("Another user has that nick name already."),
}


async def check(reader: Reader, tenant: Tenant, name: str, kind: NameKind, *, but: int = 0) -> None:
    """Check that no other user has a name, in whatever way; an empty one nobody has.

    :param kind: What it is to be: a user name or a nick name.
    :param but: Number of the user it is for.
    :raises BadInput: Another user has it; the text says as what.
    """
    key = key_of(name)
    found = await sign_in_names.owner(reader, tenant.tenant_id, key) if key else None
    if found is not None and found[0] != but:
        raise BadInput(_(_TAKEN[kind, found[1]]))


async def put(
    connection: Connection,
    tenant: Tenant,
    associate_id: int,
    *,
    name: str,
    email: str,
    nick_name: str,
) -> None:
    """Let a user sign in by these names from now on, and by no others.

    Call it in the transaction that adds or changes the user, after :func:`check` and after the rows
    are written.

    :raises Conflict: Another user got the name or the nick name meanwhile.
    """
    names = {
        key_of(nick_name): NameKind.NICK_NAME,
        key_of(email): NameKind.EMAIL,
        key_of(name): NameKind.USER_NAME,  # the strongest last
    }
    names.pop("", None)
    await sign_in_names.put(connection, tenant.tenant_id, associate_id, names)
