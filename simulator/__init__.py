"""Charging stations in software, for demos, load and fault tests, with a ledger of what was acknowledged.

It speaks OCPP-J 1.6, 2.0.1 and 2.1 over WebSocket and knows nothing of the central system at the other
end. Start with `Station`, one station steered by a test, `Fleet`, many that charge by themselves, or
`simulate`, the command.
"""

from simulator.charging import ChargeRefused, ConnectorUnavailable
from simulator.cli import simulate
from simulator.fleet import Fleet
from simulator.ledger import Ledger
from simulator.station import Station

__all__ = ["ChargeRefused", "ConnectorUnavailable", "Fleet", "Ledger", "Station", "simulate"]
