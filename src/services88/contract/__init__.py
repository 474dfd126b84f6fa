"""What is promised on the wire: operations, carriers, enumerations, headers. No behaviour.

This is the single source: WSDL, codec, dispatch and documentation all follow from it.
"""

from services88.contract.model import Agent
from services88.contract.so_principal import SO_PRINCIPAL
from services88.contract.user import USER

__all__ = ["AGENTS", "SO_PRINCIPAL", "USER"]

AGENTS: dict[str, Agent] = {described.name: described for described in (USER, SO_PRINCIPAL)}
"""Agent name to its description."""
