"""The bus of a process that has others to talk to."""

from shared_contracts.amqp import AmqpBus
from shared_contracts.bus import Limits
from shared_contracts.settings import CommonSettings


def bus_of(settings: CommonSettings, name: str, *, at_edge: bool = False) -> AmqpBus:
    """A bus over RabbitMQ as the settings say, not started; `name` is what the broker shows of the connection."""
    limits = Limits(shards=settings.shards)
    return AmqpBus(settings.amqp_url, prefix=settings.amqp_prefix, limits=limits, name=name, at_edge=at_edge)
