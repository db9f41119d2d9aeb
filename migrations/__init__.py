"""Database migrations: one linear history per module, its version table in its own schema."""

from migrations.runner import MODULES, upgrade

__all__ = ["MODULES", "upgrade"]
