"""Charging stations: who they are, whether they are connected, and what they are told.

Owns the schema `charge_points`. Answers whether and how a station may connect, boots it, and carries commands to it
for operators and for the other modules. Publishes registrations, boots, and the outcome of every command. Listens to
connections and statuses of stations, and to transactions, which it links to the commands that asked for them.
"""

from modules.charge_points.module import module

__all__ = ["module"]
