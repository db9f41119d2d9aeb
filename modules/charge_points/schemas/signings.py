"""Bodies and views of certificates that stations ask for."""

from datetime import datetime
from typing import Self

from pydantic import Field

from modules.charge_points.domain.certificates import LONGEST_CHAIN
from modules.charge_points.domain.signings import Signing, SigningState
from modules.kernel.http import Body, View


class SignedCertificate(Body):
    """The certificate that answers a station's request."""

    certificate_chain: str = Field(
        min_length=1, max_length=LONGEST_CHAIN, description="PEM: the station's certificate, then those above it."
    )


class SigningView(View):
    """A station's request for a certificate, and what came of it.

    `requested` waits for a certificate, `sent` for the station's answer; a station that did not answer, or was not
    connected, is `requested` again. `rejected` is the station's word.
    """

    signing_id: str
    station_id: str
    state: SigningState
    csr: str = Field(description="PKCS #10, PEM.")
    common_name: str
    public_key: str = Field(description='In words, as "EC secp256r1".')
    certificate_chain: str | None
    fingerprint: str | None = Field(description="SHA-256 of the certificate, hexadecimal.")
    command_id: str | None = Field(description="The command that took the certificate to the station, if one did.")
    created_at: datetime
    ended_at: datetime | None

    @classmethod
    def of(cls, signing: Signing) -> Self:
        """Show a request."""
        return cls.model_validate(signing, from_attributes=True)
