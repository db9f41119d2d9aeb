"""How much was charged: sessions, energy and duration per station, id token and day.

Owns the schema `statistics`. Listens to TransactionEnded, and can be rebuilt from what the event store kept of it.
"""

from modules.statistics.module import module

__all__ = ["module"]
