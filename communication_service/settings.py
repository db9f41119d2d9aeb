"""The settings of the communication service."""

from pydantic import Field, ValidationInfo, field_validator

from shared_contracts.settings import CommonSettings
from shared_contracts.tls import StationTlsSettings


class CommunicationSettings(CommonSettings):
    """Where stations connect, and what they may do to us."""

    ocpp_host: str = Field(default="127.0.0.1", description="Address that stations connect to.")
    ocpp_port: int = Field(default=9000, ge=0, le=65535, description="Port that stations connect to.")
    ocpp_plain: bool = Field(default=True, description="Take stations without TLS at that port, or from a proxy.")
    ocpp_tls: StationTlsSettings = Field(default_factory=StationTlsSettings)
    certificate_header: str = Field(
        default="X-SSL-Client-Cert",
        description="Where trusted proxies put the certificate of a station: PEM, percent-encoded.",
    )
    health_host: str = Field(default="127.0.0.1", description="Address of /livez, /readyz and /metrics.")
    health_port: int = Field(default=9001, ge=0, le=65535, description="Port of /livez, /readyz and /metrics.")
    ping_interval_s: float = Field(
        default=40.0,
        gt=0,
        description="Seconds of silence within which a station is pinged; it is dropped after half as many more.",
    )
    frame_bytes: int = Field(default=1024 * 1024, ge=1024, description="Largest message taken, inflated.")
    call_timeout_s: float = Field(default=30.0, gt=0, description="How long a station may take to answer a CALL.")
    request_timeout_s: float = Field(default=20.0, gt=0, description="How long a module may take to answer a station.")
    waiting_calls: int = Field(
        default=100, ge=1, description="CALLs of one station that may wait; more stop the reading."
    )
    station_messages_per_s: float = Field(
        default=300.0,
        gt=0,
        description="Messages of one station that are read over time, each 4 KiB counting as one more; ten seconds' "
        "worth may come at once.",
    )
    keepers: str = Field(
        default="charge_points transactions",
        pattern=r"[^\s,]",
        description="Modules whose event queues must be there before stations are let in.",
    )
    doubt_after_s: float = Field(
        default=5.0, gt=0, description="Nothing becomes durable for so long: no new connections, and not ready."
    )
    outage_after_s: float = Field(
        default=15.0, gt=0, description="Nothing becomes durable for so long: stations are let go, to queue offline."
    )
    unanswered_after_s: float = Field(
        default=60.0,
        gt=0,
        description="The transactions module answers nothing for so long: stations are let go, to queue offline.",
    )
    outage_spread_s: float = Field(default=5.0, ge=0, description="Over how long they are let go.")
    proven_for_s: float = Field(
        default=5.0, ge=0, description="How long the way to the broker must work again before stations are let in."
    )
    handshakes_at_once: int = Field(default=200, ge=1, description="Upgrades under way at once; more get 503.")
    handshakes_per_s: float = Field(default=500.0, ge=1, description="Upgrades taken per second; more get 503.")
    open_timeout_s: float = Field(default=10.0, gt=0, description="How long an upgrade may take before it is dropped.")
    prestop_s: float = Field(
        default=0.0, ge=0, description="How long a pod told to stop is not ready but goes on, for balancers to notice."
    )
    drain_s: float = Field(default=20.0, ge=0, description="Over how long a pod told to stop closes its connections.")
    finish_s: float = Field(default=10.0, ge=0, description="How long a pod told to stop waits for CALLs under way.")
    strikes_per_minute: int = Field(default=20, ge=1, description="Broken messages before a connection is closed.")
    strike_hold_s: float = Field(
        default=60.0, ge=0, description="For how long the station then gets 429 from this pod."
    )
    access_ttl_s: float = Field(default=60.0, ge=0, description="How long credentials of a station are remembered.")
    strict_schemas: bool = Field(default=False, description="Refuse what deviates from the official schemas at all.")
    frame_log: bool = Field(default=True, description="Keep the frames of both directions for debugging.")
    hide_unknown_stations: bool = Field(
        default=False, description="Answer 401 instead of 404 to stations that nobody registered."
    )
    failures_per_station: int = Field(
        default=10, ge=1, description="Failed attempts per minute to be a station, by one address; more get 429."
    )
    failures_per_source: int = Field(
        default=60, ge=1, description="Failed attempts per minute by one address to be any station; more get 429."
    )
    flaps_per_minute: int = Field(
        default=5,
        ge=1,
        description="How often per minute connections of a station may push out one that lives; then new ones get 503.",
    )
    flap_hold_s: float = Field(default=60.0, gt=0, description="For how long.")
    half_open_connections: int = Field(
        default=2000, ge=1, description="Connections that have sent no request yet; of more, the oldest are closed."
    )

    @field_validator("ocpp_tls")
    @classmethod
    def _is_some_way_in(cls, tls: StationTlsSettings, given: ValidationInfo) -> StationTlsSettings:
        if not tls.on and not given.data.get("ocpp_plain", True):
            raise ValueError("without certificates stations connect without TLS, or not at all")
        return tls
