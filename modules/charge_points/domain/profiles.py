"""How a station changes its security profile: both are accepted until it has connected with the new one.

OCPP 2.0.1 A05 and the security whitepaper. A station may fall back while the higher profile never worked (FR.08);
after the first connection with it the lower is refused for good (FR.09). The only way down is from 3 to 2, and only
where it is allowed by name (AllowSecurityProfileDowngrade of the errata and OCPP 2.1).
"""

from dataclasses import dataclass, replace
from typing import Self

CERTIFICATE, PASSWORD_AND_TLS = 3, 2


class ProfileNotLowered(ValueError):
    """The profile would become lower; the text tells an operator why that is refused."""


@dataclass(frozen=True, slots=True)
class Profiles:
    """The profile of a station and the one it is moving to; `since` is the revision of the access that accepts both."""

    configured: int
    pending: int | None = None
    since: int = 0

    @property
    def accepted(self) -> tuple[int, ...]:
        """The profiles that admit the station."""
        return (self.configured,) if self.pending is None else tuple(sorted((self.configured, self.pending)))

    def moving_to(self, profile: int, *, since: int, allow_downgrade: bool = False) -> Self:
        """Accept this profile too. Raises ProfileNotLowered. The present one ends what had begun."""
        if profile < self.configured and not (allow_downgrade and _is_allowed_downgrade(self.configured, profile)):
            raise ProfileNotLowered("A security profile is not lowered, but from 3 to 2 where that is allowed by name.")
        return replace(self, pending=None if profile == self.configured else profile, since=since)

    def set_to(self, profile: int, *, ever_connected: bool) -> Self:
        """Accept this profile alone, at once. Raises ProfileNotLowered for a station that has connected before."""
        if profile < self.configured and ever_connected:
            raise ProfileNotLowered("The security profile of a station that has connected is not lowered.")
        return replace(self, configured=profile, pending=None)

    def connected(self, profile: int, *, revision: int) -> Self:
        """The station connected with this profile, admitted by this revision of the access."""
        if profile != self.pending or revision < self.since:
            return self
        return replace(self, configured=profile, pending=None)


def _is_allowed_downgrade(old: int, new: int) -> bool:
    return (old, new) == (CERTIFICATE, PASSWORD_AND_TLS)
