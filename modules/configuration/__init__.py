"""How charging stations are set up: variables, charging profiles, firmware.

Owns the schema `configuration`. Tells stations what to change through the commands of the charge_points module, and
listens to what became of every command, whoever issued it, and to what stations report. Publishes how firmware updates
go.
"""

from modules.configuration.module import module

__all__ = ["module"]
