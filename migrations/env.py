"""Alembic's environment: runs on the connection that the runner hands over, inside its transaction."""

from alembic import context

config = context.config
context.configure(
    connection=config.attributes["connection"],
    version_table=config.attributes["version_table"],
    version_table_schema=config.attributes["schema"],
)
context.run_migrations()
