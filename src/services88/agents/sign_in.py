"""Signing in with SoPrincipal."""

from services88.agents.call import Call, implements
from services88.contract.enumerations import RoleType, UserType
from services88.contract.headers import SoCredentials
from services88.contract.so_principal import (
    AuthenticateResponse,
    ProvidedCredential,
    SoPrincipalAgent,
    SoPrincipalCarrier,
)
from services88.identity import sign_in
from services88.identity.accounts import AssociateType
from services88.identity.sign_in import SignedIn

__all__ = ["USER_TYPES", "authenticate_username_password"]

# The contract's kinds of user have other numbers than associate.type.
USER_TYPES = {
    AssociateType.EMPLOYEE: UserType.INTERNAL_ASSOCIATE,
    AssociateType.RESOURCE: UserType.RESOURCE_ASSOCIATE,
    AssociateType.EXTERNAL_PERSON: UserType.EXTERNAL_ASSOCIATE,
    AssociateType.ANONYMOUS: UserType.ANONYMOUS_ASSOCIATE,
    AssociateType.SYSTEM: UserType.SYSTEM_ASSOCIATE,
}
_ROLE_TYPES = tuple(RoleType)  # role.roleType numbers them in this order


@implements(SoPrincipalAgent.authenticate_username_password)
async def authenticate_username_password(
    call: Call, user_name: str | None, password: str | None
) -> AuthenticateResponse:
    """Sign in. Whatever is wrong, the answer is the same: AuthenticationSucceeded is false."""
    signed_in = await sign_in.with_name(
        call.identity, call.tenant, user_name or "", password or "", call.origin
    )
    if signed_in is None:
        return AuthenticateResponse()
    return AuthenticateResponse(
        response=_carrier(call, signed_in),
        credentials=SoCredentials(ticket=signed_in.ticket.text),
        authentication_succeeded=True,
    )


def _carrier(call: Call, signed_in: SignedIn) -> SoPrincipalCarrier:
    user, provided = signed_in.user, signed_in.provided
    kind = AssociateType(user.type)
    return SoPrincipalCarrier(
        user_type=USER_TYPES[kind],
        associate=user.name,
        associate_id=user.associate_id,
        is_person=kind in (AssociateType.EMPLOYEE, AssociateType.EXTERNAL_PERSON),
        person_id=user.person_id,
        country_id=user.country_id,
        home_country_id=user.country_id,
        contact_id=user.contact_id,
        group_id=user.group_idx,
        role_id=user.role_id,
        role_name=user.role_name,
        role_description=user.role_tooltip,
        role_type=_ROLE_TYPES[user.role_type],
        licenses=[],
        full_name=user.full_name,
        e_mail_address=user.email,
        function_rights=list(signed_in.rights),
        ej_user_id=user.ej_user_id,
        provided_credentials=[
            ProvidedCredential(
                type=provided.type,
                search_name=provided.search_name,
                display_name=user.name,
                credential_id=provided.credentials_id,
            )
        ],
        secondary_groups=signed_in.groups,
        database_context_identifier=call.tenant.name,
    )
