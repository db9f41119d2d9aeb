"""A certificate on its way to a station: asked for, checked, signed by whoever may, installed.

Security whitepaper A02, A03 and OCPP 2.0.1 A02, A03: the key is made by the station and never leaves it.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Self

from shared_contracts.commands import CommandOutcome


class SigningState(StrEnum):
    """`requested`, `sent` once a certificate is on its way; in the end `installed`, `rejected`, or `superseded`."""

    REQUESTED = "requested"
    SENT = "sent"
    INSTALLED = "installed"
    REJECTED = "rejected"
    SUPERSEDED = "superseded"


OPEN = (SigningState.REQUESTED, SigningState.SENT)


@dataclass(frozen=True, slots=True)
class Signing:
    """A station's request and what came of it. `csr` and `certificate_chain` are PEM, `fingerprint` hex SHA-256.

    `request_id` is the station's number of the request, None before OCPP 2.1.
    """

    signing_id: str
    station_id: str
    state: SigningState
    csr: str
    request_id: int | None
    common_name: str
    public_key: str
    created_at: datetime
    certificate_chain: str | None = None
    fingerprint: str | None = None
    command_id: str | None = None
    ended_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        """Whether a certificate is still wanted."""
        return self.state in OPEN

    def sent(self, chain: str, fingerprint: str, command_id: str) -> Self:
        """A certificate is on its way; one that was sent before may still arrive, but is not waited for."""
        return replace(
            self,
            state=SigningState.SENT,
            certificate_chain=chain,
            fingerprint=fingerprint,
            command_id=command_id,
        )

    def answered(self, outcome: CommandOutcome, now: datetime) -> Self:
        """The command has ended. Without a clear word the station still waits, and asks again."""
        if not self.is_open:
            return self
        match outcome:
            case CommandOutcome.ACCEPTED:
                return replace(self, state=SigningState.INSTALLED, ended_at=now)
            case CommandOutcome.REJECTED:
                return replace(self, state=SigningState.REJECTED, ended_at=now)
            case _:
                return replace(self, state=SigningState.REQUESTED)
