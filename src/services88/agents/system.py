"""What the installation says of itself."""

from services88 import __version__
from services88.agents.call import Call, implements
from services88.contract.enumerations import NetServerBuildType
from services88.contract.so_principal import SoPrincipalAgent, SoSystemInfoCarrier
from services88.store.migrate import head

__all__ = ["get_system_info"]

_NEVER_EXPIRES = 2**31 - 1


@implements(SoPrincipalAgent.get_system_info)
async def get_system_info(call: Call) -> SoSystemInfoCarrier:
    """Tell the truth: this is services88, it has no licence and does not expire."""
    return SoSystemInfoCarrier(
        branch_name="services88",
        build_label=f"services88 {__version__}",
        assembly_version=__version__,
        file_version=__version__,
        description="services88, a server for the NetServer Services88 contract",
        days_until_net_server_expiry=_NEVER_EXPIRES,
        build_type=NetServerBuildType.ALPHA,
        database_version=int(head()),
        is_unicode=True,
        company_name=call.tenant.company_name,
        company_id=0,
        database_type=call.identity.database.kind,
        database_name=call.tenant.name,
    )
