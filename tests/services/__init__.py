"""Real servers for tests and benchmarks: found on this machine, or started for us and stopped again.

`postgres_server` and `rabbitmq_server` give the URL of a server in the order that CONTRIBUTING.md tells;
`PrivatePostgres` and `PrivateRabbit` are servers of one's own, for tests that break them.
"""

from tests.services.offers import ServiceMissing, postgres_server, rabbitmq_server
from tests.services.postgres import PrivatePostgres
from tests.services.rabbitmq import PrivateRabbit

__all__ = ["PrivatePostgres", "PrivateRabbit", "ServiceMissing", "postgres_server", "rabbitmq_server"]
