"""The tables of the schema `statistics`."""

from sqlalchemy import BigInteger, Boolean, Column, Date, Index, Integer, MetaData, Table, Text

from modules.kernel.tables import kernel_tables

metadata = MetaData(schema="statistics")
kernel_tables(metadata)

sessions = Table(
    "sessions",
    metadata,
    Column("transaction_id", Text, primary_key=True),
    Column("revision", Integer, nullable=False),
    Column("station_id", Text, nullable=False),
    Column("id_token", Text, nullable=False),
    Column("day", Date, nullable=False),
    Column("energy_wh", BigInteger, nullable=False),
    Column("duration_s", BigInteger, nullable=False),
    Column("failed", Boolean, nullable=False),
    Column("suspect", Boolean, nullable=False),
    Index("sessions_day_idx", "day"),
    Index("sessions_station_id_idx", "station_id", "day"),
    Index("sessions_id_token_idx", "id_token", "day"),
)
