"""TLS of our own: what OCPP demands of a server, from files that may change while connections live.

Security whitepaper §3.5 (A00.FR.312 to 318): TLS 1.2 or newer, and four suites, two of which want an RSA certificate.
Two more, of our own choice, give forward secrecy to those that know RSA only.
"""

import ssl
from pathlib import Path

from pydantic import BaseModel, Field, model_validator

_SUITES = "ECDHE+AESGCM:AES128-GCM-SHA256:AES256-GCM-SHA384"  # Python's default leaves out the two without ECDHE


class TlsSettings(BaseModel):
    """Files as PEM. Without a certificate TLS is off."""

    certificate_files: str = Field(
        default="",
        description="Server certificates with their chains, PEM files separated by commas: one with an ECDSA key, one "
        "with an RSA key. TLS is off without.",
    )
    key_files: str = Field(
        default="", description="Their private keys in the same order; unset where the same files hold them."
    )
    poll_s: float = Field(
        default=10.0, gt=0, description="How often the files are looked at: what changed holds for new connections."
    )

    @model_validator(mode="after")
    def _pairs(self) -> "TlsSettings":
        if self.key_files and len(_paths(self.key_files)) != len(_paths(self.certificate_files)):
            raise ValueError("there must be as many key files as certificate files")
        return self

    @property
    def on(self) -> bool:
        """Whether there is anything to serve TLS with."""
        return bool(self.certificate_files)

    def files(self) -> tuple[Path, ...]:
        """Every file that is read."""
        return (*_paths(self.certificate_files), *_paths(self.key_files))

    def context(self) -> ssl.SSLContext:
        """Read the files. Raises OSError (SSLError among them) where one cannot be used."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers(_SUITES)
        context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_TICKET
        context.options |= ssl.OP_CIPHER_SERVER_PREFERENCE
        context.num_tickets = 0  # a resumed connection would be spared the look at its certificate
        certificates = _paths(self.certificate_files)
        for certificate, key in zip(certificates, _paths(self.key_files) or certificates, strict=True):
            try:
                context.load_cert_chain(certificate, key, password="")  # else it would ask at the terminal
            except OSError as error:
                raise OSError(f"{certificate} with {key} is no certificate with its key ({error})") from error
        return context


class StationTlsSettings(TlsSettings):
    """TLS for stations: they may show a certificate of their own (security profile 3)."""

    port: int = Field(default=9443, ge=0, le=65535, description="Port that stations connect to over TLS.")
    ca_file: str = Field(
        default="", description="PEM file of the authorities that issue certificates of stations (profile 3)."
    )
    crl_file: str = Field(
        default="",
        description="PEM file of their revocation lists, one of each authority; where it is set, a certificate of an "
        "authority without a list that holds is refused.",
    )

    organization: str | None = Field(
        default=None,
        min_length=1,
        max_length=64,
        description="The `O` that a station's certificate must name (profile 3).",
    )

    def files(self) -> tuple[Path, ...]:
        """Every file that is read."""
        return (*super().files(), *_paths(self.ca_file), *_paths(self.crl_file))

    def context(self) -> ssl.SSLContext:
        """Read the files. Raises OSError where one cannot be used."""
        context = super().context()
        if self.ca_file:
            context.verify_mode = ssl.CERT_OPTIONAL
            _load_authorities(context, self.ca_file)
        if self.crl_file:
            _load_authorities(context, self.crl_file)
            context.verify_flags |= ssl.VerifyFlags.VERIFY_CRL_CHECK_LEAF
        return context


class ApiTlsSettings(TlsSettings):
    """TLS for the API."""

    port: int = Field(default=8443, ge=0, le=65535, description="Port of the API over TLS.")


def _load_authorities(context: ssl.SSLContext, file: str) -> None:
    try:
        context.load_verify_locations(file)
    except OSError as error:
        raise OSError(f"{file} cannot be read as PEM ({error})") from error


def _paths(files: str) -> tuple[Path, ...]:
    return tuple(Path(part.strip()) for part in files.split(",") if part.strip())
