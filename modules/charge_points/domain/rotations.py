"""How a station's password is replaced: the old and the new hold until it is known which of them the station keeps.

Security whitepaper and OCPP 2.0.1 A01: once the station has accepted, the old one is refused (FR.03), else it stays
(FR.04). Where no answer came, the station's next login tells; but only one that began after we gave up waiting, since
before that the station may still have had the old one. Revisions of the access order these, not clocks.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Self

from modules.charge_points.domain.stations import Credentials
from shared_contracts.commands import CommandOutcome

MOST_OPEN = 3
"""New passwords of one station that may be in doubt at a time."""

_NEVER_SENT = (CommandOutcome.OFFLINE, CommandOutcome.EXPIRED)
_AFTER_REBOOT = "RebootRequired"


class RotationState(StrEnum):
    """`sent`, perhaps `unconfirmed` or `awaiting_reboot`; in the end `taken`, `not_taken`, or `superseded`."""

    SENT = "sent"
    UNCONFIRMED = "unconfirmed"
    AWAITING_REBOOT = "awaiting_reboot"
    TAKEN = "taken"
    NOT_TAKEN = "not_taken"
    SUPERSEDED = "superseded"


OPEN = (RotationState.SENT, RotationState.UNCONFIRMED, RotationState.AWAITING_REBOOT)


@dataclass(frozen=True, slots=True)
class Rotation:
    """A new password on its way to a station. `credentials` are None once that has ended."""

    rotation_id: str
    station_id: str
    state: RotationState
    command_id: str
    salt: str
    credentials: Credentials | None
    unconfirmed_revision: int | None
    created_at: datetime
    ended_at: datetime | None = None

    def ended(self, state: RotationState, now: datetime) -> Self:
        """The rotation, over."""
        return replace(self, state=state, credentials=None, ended_at=now)

    def told_by(self, revision: int) -> bool:
        """Whether a login with another password, admitted by this revision of the access, tells it was not taken."""
        return self.unconfirmed_revision is not None and self.unconfirmed_revision <= revision


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of the command that took the password there. `status` is the station's word, None without one."""

    command_id: str
    outcome: CommandOutcome
    status: str | None = None
    error_code: str | None = None


@dataclass(frozen=True, slots=True)
class Keyring:
    """The passwords of one station: the current, and the rotations that are open or have just ended, oldest first."""

    revision: int
    current: Credentials | None
    rotations: tuple[Rotation, ...] = ()

    @property
    def valid(self) -> tuple[Credentials, ...]:
        """All passwords that admit the station."""
        new = tuple(rotation.credentials for rotation in self._open() if rotation.credentials is not None)
        return (() if self.current is None else (self.current,)) + new

    @property
    def under_way(self) -> Rotation | None:
        """The rotation whose command still waits for its answer, if there is one."""
        return next((rotation for rotation in self.rotations if rotation.state is RotationState.SENT), None)

    @property
    def is_full(self) -> bool:
        """Whether so many are in doubt that another would not help."""
        return len(self._open()) >= MOST_OPEN

    def begun(self, rotation: Rotation) -> Self:
        """A new password is about to be sent."""
        return replace(self, revision=self.revision + 1, rotations=(*self.rotations, rotation))

    def answered(self, answer: Answer, now: datetime) -> Self:
        """The command has ended. Anything but a clear word leaves both passwords valid."""
        rotation = next((one for one in self._open() if one.command_id == answer.command_id), None)
        if rotation is None:
            return self
        match _meaning(answer):
            case RotationState.TAKEN:
                earlier = self.rotations[: self.rotations.index(rotation)]
                return self._taken(rotation, [one for one in earlier if one.state in OPEN], now)
            case RotationState.NOT_TAKEN:
                return self._changed(rotation.ended(RotationState.NOT_TAKEN, now))
            case RotationState.AWAITING_REBOOT:
                return self._changed(replace(rotation, state=RotationState.AWAITING_REBOOT))
            case _:
                state, told_from = RotationState.UNCONFIRMED, self.revision + 1
                return self._changed(replace(rotation, state=state, unconfirmed_revision=told_from))

    def shown(self, salt: str, revision: int, now: datetime) -> Self:
        """The station logged in with the password of this salt, admitted by this revision of the access."""
        rotation = next((one for one in self._open() if one.salt == salt), None)
        told = [one for one in self._open() if one.told_by(revision) and one is not rotation]
        if rotation is not None:
            return self._taken(rotation, told, now)
        if self.current is None or self.current.salt != salt or not told:
            return self
        return self._changed(*(one.ended(RotationState.NOT_TAKEN, now) for one in told))

    def replaced(self, credentials: Credentials, now: datetime) -> Self:
        """An operator set a password. One that is under way stays valid: the station may be taking it just now."""
        over = (one for one in self._open() if one.state is not RotationState.SENT)
        changed = self._changed(*(one.ended(RotationState.SUPERSEDED, now) for one in over))
        return replace(changed, current=credentials)

    def _taken(self, rotation: Rotation, over: Sequence[Rotation], now: datetime) -> Self:
        superseded = (one.ended(RotationState.SUPERSEDED, now) for one in over)
        changed = self._changed(rotation.ended(RotationState.TAKEN, now), *superseded)
        return replace(changed, current=rotation.credentials)

    def _changed(self, *changes: Rotation) -> Self:
        by_id = {rotation.rotation_id: rotation for rotation in changes}
        rotations = tuple(by_id.get(rotation.rotation_id, rotation) for rotation in self.rotations)
        return replace(self, revision=self.revision + 1, rotations=rotations)

    def _open(self) -> tuple[Rotation, ...]:
        return tuple(rotation for rotation in self.rotations if rotation.state in OPEN)


def _meaning(answer: Answer) -> RotationState:
    """An error, or a word that OCPP does not have, tells nothing; INVALID with an error code was never sent."""
    never_sent = answer.outcome is CommandOutcome.INVALID and answer.error_code is not None
    if answer.outcome is CommandOutcome.REJECTED or answer.outcome in _NEVER_SENT or never_sent:
        return RotationState.NOT_TAKEN
    if answer.outcome is not CommandOutcome.ACCEPTED:
        return RotationState.UNCONFIRMED
    return RotationState.AWAITING_REBOOT if answer.status == _AFTER_REBOOT else RotationState.TAKEN
