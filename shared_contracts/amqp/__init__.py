"""The bus over RabbitMQ: group-committed events, requests with replies, and the broker as station directory."""

from shared_contracts.amqp.bus import AmqpBus
from shared_contracts.amqp.topology import purge

__all__ = ["AmqpBus", "purge"]
