"""The OCPP versions the edge speaks."""

from enum import StrEnum


class Version(StrEnum):
    """A version of OCPP-J, written as the specification writes it."""

    V16 = "1.6"
    V201 = "2.0.1"
    V21 = "2.1"

    __hash__ = str.__hash__  # Enum hashes in Python code, and versions key the caches of the hot path

    @property
    def subprotocol(self) -> str:
        """The WebSocket subprotocol that negotiates this version, e.g. `ocpp2.0.1`."""
        return f"ocpp{self.value}"
