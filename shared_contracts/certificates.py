"""Certificates by which stations prove who they are, and how they get new ones. Owner: modules/charge_points."""

from typing import ClassVar

from shared_contracts.message import Event, Reply, Request, StationId


class SigningAnswered(Reply):
    """Whether the request is taken up: the certificate itself comes later, as a command. `reason` is for people."""

    accepted: bool
    reason: str | None = None


class RequestCertificate(Request[SigningAnswered]):
    """A station wants a certificate for a key of its own (OCPP SignCertificate; `csr` is PKCS #10 as PEM).

    `request_id` is the number by which the station tells its requests apart; before OCPP 2.1 it gives none.
    """

    key: ClassVar[str] = "charge_points.request_certificate.v1"
    station_id: StationId
    csr: str
    request_id: int | None = None


class CertificateRequested(Event):
    """A station's request for a certificate holds, and waits for one. `signing_id` names it in the API."""

    key: ClassVar[str] = "charge_points.certificate_requested.v1"
    station_id: StationId
    signing_id: str
    common_name: str


class CertificateInstalled(Event):
    """A station took the certificate it had asked for. `fingerprint`: SHA-256 in lower-case hexadecimal."""

    key: ClassVar[str] = "charge_points.certificate_installed.v1"
    station_id: StationId
    signing_id: str
    fingerprint: str
