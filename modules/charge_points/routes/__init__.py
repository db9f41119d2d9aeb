"""The operations of the API that this module serves."""

from modules.charge_points.routes import commands, credentials, signings, stations

table = (*stations.table, *credentials.table, *signings.table, *commands.table)
