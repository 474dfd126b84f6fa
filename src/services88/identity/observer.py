"""What the domain tells whoever counts: metrics are made of it. By itself it tells nobody."""

__all__ = ["Observer"]


class Observer:
    """Is told what happens, at once and often: an implementation must be quick and never raise."""

    def call(self, agent: str, operation: str, outcome: str, seconds: float) -> None:
        """Take note of a call that was answered.

        :param operation: The name in the contract; empty where the message named none of it.
        :param outcome: ``done``, ``refused`` or ``fault``.
        """

    def throttled(self) -> None:
        """Take note of an attempt at a password that had to wait."""

    def disabled(self) -> None:
        """Take note of a password that was disabled after too many wrong ones."""

    def trail_broken(self) -> None:
        """Take note of an audit trail whose head was not written with the key, as it must be."""

    def not_signed_in(self, reason: str) -> None:
        """Take note of a sign-in that was refused; the caller is not told why.

        :param reason: As in the audit trail.
        """
