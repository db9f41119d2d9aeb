"""Settings that both services read: environment variables, prefix STRUM_, nested by two underscores."""

from typing import Literal

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from yarl import URL

from shared_contracts.sources import Proxies


class CommonSettings(BaseSettings):
    """The bus and the log."""

    model_config = SettingsConfigDict(env_prefix="STRUM_", env_nested_delimiter="__", extra="ignore")

    amqp_url: str = Field(default="amqp://guest:guest@127.0.0.1:5672/", description="RabbitMQ.")
    amqp_prefix: str = Field(
        default="strum", pattern=r"^[a-z0-9_.-]{1,64}$", description="Begins every exchange and queue."
    )
    shards: int = Field(default=4, ge=1, le=64, description="Shards of the event queues; the same in every process.")
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="The least that is logged."
    )
    log_format: Literal["json", "console"] = Field(
        default="json", description="One JSON object a line, or lines for people."
    )

    trusted_proxies: str = Field(
        default="",
        description="Addresses or networks of proxies before this process, separated by commas: what they say about "
        "where a request came from, and how, is believed.",
    )

    @field_validator("trusted_proxies")
    @classmethod
    def _are_networks(cls, networks: str) -> str:
        Proxies(networks)
        return networks

    @field_validator("amqp_url")
    @classmethod
    def _is_of_a_broker(cls, url: str) -> str:
        """What is none would be waited for as for a broker that is not there yet."""
        if URL(url).scheme not in {"amqp", "amqps"} or not URL(url).host:
            raise ValueError("a URL like amqp://user:password@host:5672/")
        return url
