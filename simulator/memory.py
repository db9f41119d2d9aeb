"""What a station remembers of the commands it was given: enough to answer the next ones truthfully."""

import hashlib
from dataclasses import dataclass, field

from simulator.frames import Payload


@dataclass(frozen=True)
class Certificate:
    """An installed root certificate, known by its hash data."""

    kind: str
    hash_data: Payload


@dataclass(frozen=True)
class Profile:
    """An installed charging profile; `place` is the connector or EVSE, 0 for the whole station."""

    place: int
    purpose: str
    stack_level: int
    payload: Payload


@dataclass
class Memory:
    """Lists, profiles, certificates and states of one station."""

    local_list_version: int = 0
    local_list: dict[str, Payload] = field(default_factory=dict)
    profiles: dict[int, Profile] = field(default_factory=dict)
    certificates: list[Certificate] = field(default_factory=list)
    firmware_status: str = "Idle"
    log_status: str = "Idle"
    published_firmware: set[str] = field(default_factory=set)
    display_messages: dict[int, Payload] = field(default_factory=dict)
    monitors: dict[int, Payload] = field(default_factory=dict)
    tariffs: dict[int, Payload] = field(default_factory=dict)

    def update_local_list(self, version: int, entries: dict[str, Payload | None], *, full: bool) -> bool:
        """Replace or amend the local list; an entry without data is removed. False if it is not newer."""
        if not full and version <= self.local_list_version:
            return False
        if full:
            self.local_list.clear()
        for token, info in entries.items():
            if info is None:
                self.local_list.pop(token, None)
            else:
                self.local_list[token] = info
        self.local_list_version = version
        return True

    def remove_profiles(
        self, *, number: int | None, place: int | None, purpose: str | None, stack_level: int | None
    ) -> bool:
        """Remove the profiles that match all that is given; False if there were none."""
        doomed = [number] if number is not None else self.matching(place, purpose, stack_level)
        removed = [self.profiles.pop(each, None) for each in doomed]
        return any(profile is not None for profile in removed)

    def matching(self, place: int | None, purpose: str | None, stack_level: int | None) -> list[int]:
        """Return the ids of the profiles that match all that is given."""
        return [
            number
            for number, profile in self.profiles.items()
            if place in {None, profile.place}
            and purpose in {None, profile.purpose}
            and stack_level in {None, profile.stack_level}
        ]

    def strongest(self, place: int) -> Profile | None:
        """Return the profile with the highest stack level that applies at a connector or EVSE."""
        applying = [p for p in self.profiles.values() if p.place in {0, place}]
        return max(applying, key=lambda profile: profile.stack_level, default=None)

    def install_certificate(self, kind: str, pem: str) -> None:
        """Remember a certificate by hashes of its text; a simulator does not read X.509."""
        digest = hashlib.sha256(pem.encode()).hexdigest()
        hash_data = {
            "hashAlgorithm": "SHA256",
            "issuerNameHash": digest,
            "issuerKeyHash": digest[::-1],
            "serialNumber": digest[:16],
        }
        self.delete_certificate(hash_data)
        self.certificates.append(Certificate(kind, hash_data))

    def delete_certificate(self, hash_data: Payload) -> bool:
        """Forget a certificate; False if it was not installed."""
        found = [c for c in self.certificates if c.hash_data["serialNumber"] == hash_data["serialNumber"]]
        for certificate in found:
            self.certificates.remove(certificate)
        return bool(found)
