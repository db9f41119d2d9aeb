"""The settings of the communication service."""

from pydantic import Field

from shared_contracts.settings import CommonSettings


class CommunicationSettings(CommonSettings):
    """Where stations connect, and what they may do to us."""

    ocpp_host: str = Field(default="127.0.0.1", description="Address that stations connect to.")
    ocpp_port: int = Field(default=9000, ge=0, le=65535, description="Port that stations connect to.")
    health_host: str = Field(default="127.0.0.1", description="Address of /livez, /readyz and /metrics.")
    health_port: int = Field(default=9001, ge=0, le=65535, description="Port of /livez, /readyz and /metrics.")
    ping_interval_s: float = Field(
        default=60.0,
        gt=0,
        description="Seconds of silence within which a station is pinged; it is dropped after half as many more.",
    )
    frame_bytes: int = Field(default=1024 * 1024, ge=1024, description="Largest message taken, inflated.")
    call_timeout_s: float = Field(default=30.0, gt=0, description="How long a station may take to answer a CALL.")
    request_timeout_s: float = Field(default=20.0, gt=0, description="How long a module may take to answer a station.")
    waiting_calls: int = Field(
        default=100, ge=1, description="CALLs of one station that may wait; more stop the reading."
    )
    strikes_per_minute: int = Field(default=20, ge=1, description="Broken messages before a connection is closed.")
    access_ttl_s: float = Field(default=60.0, ge=0, description="How long credentials of a station are remembered.")
    strict_schemas: bool = Field(default=False, description="Refuse what deviates from the official schemas at all.")
    frame_log: bool = Field(default=True, description="Keep the frames of both directions for debugging.")
