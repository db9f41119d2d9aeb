"""The memory of the system: every event, every OCPP frame, the latest status of everything, and a stream of it all.

Owns the schema `diagnostics`. Answers ReplayEvents. Listens to every event, and publishes none of its own: a replay
sends stored events to one module again. Asks IssueCommand (to have a station upload a log) and ListOpenTransactions (to
know what a driver may see). Statuses are kept behind a port, in PostgreSQL or in Azure Table Storage.
"""

from modules.diagnostics.module import module

__all__ = ["module"]
