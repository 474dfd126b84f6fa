"""The same operation with spyne, for its own virtual environment: no ticket is looked at."""

from spyne import Application, Boolean, ComplexModel, Integer, ServiceBase, Unicode, rpc
from spyne.protocol.soap import Soap11
from spyne.server.wsgi import WsgiApplication

_SPACE = "http://www.superoffice.net/ws/crm/NetServer/Services88"


class Credentials(ComplexModel):
    """The header block."""

    __namespace__ = _SPACE
    Ticket = Unicode


class User(ServiceBase):
    """The one operation."""

    __in_header__ = Credentials

    @rpc(Integer, _returns=Boolean, _out_variable_name="Response")
    def CanChangePassword(ctx, AssociateId):  # noqa: N802, N803, N805 - spyne's way of declaring
        """Say yes."""
        return ctx.in_header is not None and AssociateId > 0


application = WsgiApplication(
    Application([User], _SPACE, in_protocol=Soap11(), out_protocol=Soap11())
)
