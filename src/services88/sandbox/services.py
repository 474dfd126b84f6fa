"""A tenant as a test has it: its address, and the test controls."""

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Literal, Protocol, TypeVar

from services88.sandbox.controls import Controls
from services88.sandbox.declaring import Blocking, Control
from services88.sandbox.worlds import Sandbox, World

__all__ = ["AsyncServices88", "Bridge", "Services88"]

T = TypeVar("T")
AgentName = Literal["User", "SoPrincipal"]


class Bridge(Protocol):
    """Runs a coroutine on the loop of the server."""

    def __call__(self, work: Coroutine[Any, Any, T]) -> Awaitable[T]:
        """Return something to await on the caller's own loop."""


class _Tenant(Controls):
    """Addresses, and a check that the tenant is still there."""

    def __init__(self, sandbox: Sandbox, world: World, base: str) -> None:
        super().__init__(sandbox, world)
        self._base = base

    def _begin(
        self, control: Control[..., Any], *args: Any, **kwargs: Any
    ) -> Coroutine[Any, Any, Any]:
        """Check what was passed; return the work, for the loop of the server."""
        return self._work(control, control.check(*args, **kwargs))

    async def _work(self, control: Control[..., Any], arguments: dict[str, Any]) -> Any:
        if self._world.leaving:  # else all would seem to be empty
            raise LookupError(
                f"Tenant {self.tenant} was deleted: its test has ended, or has deleted it itself."
            )
        return await control.work(Controls(self._sandbox, self._world), **arguments)

    @property
    def tenant(self) -> str:
        """Name of the tenant."""
        return self._world.tenant.name

    @property
    def server_url(self) -> str:
        """The server's own address, where ``/__sandbox/`` is."""
        return self._base

    @property
    def url(self) -> str:
        """The folder in which the tenant's services are: ``{url}/User.svc``."""
        return f"{self._base}/{self.tenant}/Remote/Services88"

    def service(self, agent: AgentName) -> str:
        """Return the address of a service."""
        return f"{self.url}/{agent}.svc"

    def wsdl(self, agent: AgentName) -> str:
        """Return the address of a service's WSDL."""
        return f"{self.service(agent)}?wsdl"


class AsyncServices88(_Tenant):
    """A tenant of its own on a running sandbox, for asynchronous tests.

    What cannot be done raises ``BadInput`` (a value is not possible), ``LookupError`` (there is no
    such thing) or pydantic's ``ValidationError`` (a value has not the form it must have).
    """

    def __init__(self, sandbox: Sandbox, world: World, base: str, bridge: Bridge) -> None:
        super().__init__(sandbox, world, base)
        self._bridge = bridge

    async def _carry_out(self, control: Control[..., Any], *args: Any, **kwargs: Any) -> Any:
        return await self._bridge(self._begin(control, *args, **kwargs))


class Services88(_Tenant, Blocking):
    """A tenant of its own on a running sandbox, for tests. See :class:`AsyncServices88`."""

    def __init__(
        self,
        sandbox: Sandbox,
        world: World,
        base: str,
        run: Callable[[Coroutine[Any, Any, Any]], Any],
    ) -> None:
        super().__init__(sandbox, world, base)
        self._run = run

    def _carry_out(self, control: Control[..., Any], *args: Any, **kwargs: Any) -> Any:
        return self._run(self._begin(control, *args, **kwargs))
