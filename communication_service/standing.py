"""What the connected station may say: all once it is accepted; before, to boot, and what it was asked for.

OCPP 1.6 §4.2, 2.0.1 B02.FR.02, B02.FR.09 and B03.FR.07; for 1.6 the refusal is of its errata.
"""

from dataclasses import dataclass

from shared_contracts.charge_points import Registration
from shared_contracts.commands import Command, GetVariables, RawCall, TriggerMessage

_REPORTS = frozenset({"GetBaseReport", "GetReport"})
_TRIGGERS = frozenset({"TriggerMessage", "ExtendedTriggerMessage"})


@dataclass(slots=True)
class Standing:
    """The registration of the station, and the messages that it was told to send while that was pending."""

    registration: Registration
    asked_for: frozenset[str] = frozenset()

    def allows(self, action: str) -> bool:
        """Whether a CALL of this action is answered with more than SecurityError."""
        if self.registration is Registration.ACCEPTED or action == "BootNotification":
            return True
        return self.registration is Registration.PENDING and action in self.asked_for

    def note(self, command: Command) -> None:
        """The station took this command."""
        message = _asked_for(command)
        if message is not None and self.registration is Registration.PENDING:
            self.asked_for |= {"SignCertificate" if message.startswith("Sign") else message}


def _asked_for(command: Command) -> str | None:
    """The action that the station will send because of a command."""
    match command:
        case TriggerMessage():
            return command.message
        case GetVariables(variables=()):
            return "NotifyReport"
        case RawCall() if command.action in _REPORTS:
            return "NotifyReport"
        case RawCall() if command.action in _TRIGGERS:
            return str(command.payload.get("requestedMessage"))
    return None
