"""Database migrations: one linear history per module, its version table in its own schema."""
