"""The operations of the API that this module serves."""

from modules.configuration.routes import firmware, profiles, variables

table = (*variables.table, *profiles.table, *firmware.table)
