"""The operations of the API that this module serves."""

from modules.charge_points.routes import commands, stations

table = (*stations.table, *commands.table)
