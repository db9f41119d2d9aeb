"""The operations of the API that this module serves."""

from modules.charge_points.routes import commands, credentials, stations

table = (*stations.table, *credentials.table, *commands.table)
